"""HDF5 files in the layout of fastMRI: a stack of slices with its k-space."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError, UnknownName
from vesalius.core.image import Image
from vesalius.data.checks import require_channels
from vesalius.data.files import broken, require_file
from vesalius.data.formats.format import Format
from vesalius.data.stored import to_stored, to_tensor

RECONSTRUCTIONS = ("reconstruction_rss", "reconstruction_esc")
"""Root-sum-of-squares (multi-coil) and emulated single-coil magnitude images."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """An ``h5py.File`` to read from; raises InputError for missing and broken files."""
    import h5py

    require_file(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise broken("HDF5", path, error) from error


def read_dataset(path: Path, name: str, index: int | None = None) -> NDArray[Any]:
    """A data set of an HDF5 file, whole or its ``index``-th slice; only that part is read."""
    with open_hdf5(path) as file:
        if name not in file:
            raise UnknownName(f"data set of {path.name}", name, list(file))
        dataset = file[name]
        if dataset.dtype.kind not in "biufc":
            raise InputError("an array of numbers", came=f"type {dataset.dtype}", case=path)
        if index is None:
            return np.asarray(dataset[()])
        return np.asarray(dataset[index])


def read_attributes(path: Path) -> dict[str, float | str]:
    """The file's attributes that are one number or one string."""
    found: dict[str, float | str] = {}
    with open_hdf5(path) as file:
        for name, value in file.attrs.items():
            if isinstance(value, bytes):
                found[name] = value.decode(errors="replace")
            elif isinstance(value, str):
                found[name] = value
            elif np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biuf":
                found[name] = float(value)
    return found


class Hdf5(Format):
    """``.h5``: ``reconstruction_rss`` or ``_esc`` as data ``(1, slice, row, column)``.

    fastMRI keeps the voxel size in a header for scanners that is not read, so the spacing is 1 mm
    unless the file has the attribute ``affine`` that we write.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")

    def read(self, path: Path) -> Image:
        """See :class:`Format`; raises InputError where there is k-space only."""
        with open_hdf5(path) as file:
            names = [name for name in RECONSTRUCTIONS if name in file]
            if not names:
                raise InputError(
                    f"a data set '{RECONSTRUCTIONS[0]}'",
                    came=", ".join(file) or "none",
                    case=path,
                    remedy="reconstruct it first, or read its k-space with the fastMRI source",
                )
            affine = np.asarray(file.attrs.get("affine", np.eye(4)), dtype=np.float64)
            unit = str(file.attrs.get("unit", "a.u."))
            modality = str(file.attrs.get("acquisition", "MR"))
        array = read_dataset(path, names[0])
        if array.ndim not in (2, 3):
            raise InputError("slices of 2D images", came=f"shape {array.shape}", case=path)
        data = to_tensor(array[None], label=unit == "label", case=path)
        return Image(
            data, affine, unit=unit, modality=modality, stored=array.dtype.newbyteorder("=").name
        )

    def encode(self, image: Image, path: Path) -> bytes:
        """See :class:`Format`; one channel, with the attributes ``max`` and ``acquisition``."""
        import h5py

        require_channels(image, 1, str(path))
        array = to_stored(image.data[0], image.stored, path)
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            file.create_dataset(RECONSTRUCTIONS[0], data=array, compression="gzip")
            file.attrs["max"] = float(np.abs(array).max())
            file.attrs["acquisition"] = image.modality
            file.attrs["unit"] = image.unit
            file.attrs["affine"] = image.affine
        return content.getvalue()
