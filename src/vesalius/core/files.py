"""Writing so that a crash or a full disk leaves the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from vesalius.core.errors import InputError


def disk_error(error: OSError, path: Path) -> InputError:
    """The sentence for a write that failed."""
    if error.errno == errno.ENOSPC:
        return InputError(
            "room on the disk", came="a full disk", case=path,
            remedy="free some space and resume: everything written before is intact",
        )
    return InputError(
        "a place that can be written", came=str(error.strerror), case=path,
        remedy="choose another folder",
    )


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path`` and move it into place."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise disk_error(error, path) from error
