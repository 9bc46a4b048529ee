"""NumPy files, opened without ever running what is in them."""

from __future__ import annotations

import pickle
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError, UnknownName
from vesalius.data.files import broken, require_file

_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    pickle.UnpicklingError,
)

_PICKLE = b"\x80"
"""First byte of a pickle of protocol 2 or later; an array starts with 0x93, an archive with PK."""


def _first_byte(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(1)


def _sentence(path: Path, error: BaseException) -> InputError:
    if "Object arrays" in str(error) or _first_byte(path) == _PICKLE:
        return InputError(
            "an array of numbers",
            came="a pickle, which could run code when loaded",
            case=path,
            remedy="save the numbers with numpy.savez or numpy.save",
        )
    return broken("NumPy", path, error)


def array_names(path: Path) -> tuple[str, ...]:
    """Names of the arrays in an ``.npz`` file."""
    require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist())
    except _BROKEN as error:
        raise _sentence(path, error) from error


def read_arrays(path: Path, *names: str) -> tuple[NDArray[Any], ...]:
    """The arrays ``names`` of an ``.npz`` file; InputError if it is broken or lacks one."""
    known = array_names(path)
    for name in names:
        if name not in known:
            raise UnknownName(f"array of {path.name}", name, known)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return tuple(np.asarray(archive[name]) for name in names)
    except _BROKEN as error:
        raise _sentence(path, error) from error


def read_array(path: Path) -> NDArray[Any]:
    """The array of an ``.npy`` file."""
    require_file(path)
    try:
        loaded = np.load(path, allow_pickle=False)
    except _BROKEN as error:
        raise _sentence(path, error) from error
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise InputError("one array in an .npy file", came="an .npz archive", case=path)
    return loaded


@lru_cache(maxsize=8)
def _kept(path: Path, name: str, modified_ns: int) -> NDArray[Any]:
    (array,) = read_arrays(path, name)
    array.setflags(write=False)
    return array


def stacked_array(path: Path, name: str) -> NDArray[Any]:
    """An array that holds many cases, kept in memory (the eight last used, read-only)."""
    return _kept(path, name, require_file(path).stat().st_mtime_ns)
