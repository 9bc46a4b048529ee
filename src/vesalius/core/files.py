"""Writing so that a crash or a full disk leaves the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write named arrays as a compressed npz, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Named arrays of an npz; raises InputError if it is missing, broken or holds pickled objects."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError("a file of arrays", came="no such file", case=path) from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError("a whole npz of plain arrays", came=str(error), case=path) from None
