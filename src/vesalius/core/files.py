"""Writing so that a crash or a full disk leaves the old file or the new one, never half of one."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError

#: What a damaged archive makes NumPy and zipfile raise.
BROKEN = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


def disk_error(error: OSError, path: Path) -> InputError:
    """The sentence for a write that failed."""
    if error.errno == errno.ENOSPC:
        return InputError(
            "room on the disk",
            came="a full disk",
            case=path,
            remedy="free some space and resume: everything written before is intact",
        )
    return InputError(
        "a place that can be written",
        came=str(error.strerror),
        case=path,
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
        with contextlib.suppress(OSError):
            beside.unlink()
        raise disk_error(error, path) from error


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write named arrays as a compressed npz, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Named arrays of an npz; InputError if it is missing, broken or holds pickled objects."""
    try:
        # opened here, since NumPy forgets to close what it cannot read
        with open(path, "rb") as raw:
            found = np.load(raw, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            with found as file:
                return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError("a file of arrays", came="no such file", case=path) from None
    except BROKEN as error:
        raise InputError("a whole npz of plain arrays", came=str(error), case=path) from None
