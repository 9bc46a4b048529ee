"""NumPy files: an array with its geometry beside it, or a bare array."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.core.image import Image, spacing_affine
from vesalius.data.arrays import array_names, read_array, read_arrays
from vesalius.data.formats.format import Format
from vesalius.data.stored import to_stored, to_tensor

_BESIDE = ("affine", "spacing_mm", "unit", "modality", "channel_axis")


def _image(array: NDArray[Any], beside: dict[str, NDArray[Any]], path: Path) -> Image:
    """An array as an image: channels come first with 4 axes or where ``channel_axis`` says so."""
    has_channels = array.ndim == 4 or "channel_axis" in beside
    data = array if has_channels else array[None]
    if data.ndim not in (3, 4):
        raise InputError(
            "an array of 2, 3 or 4 axes",
            came=f"shape {array.shape}",
            case=path,
            remedy="pass one image",
        )
    affine = np.eye(4)
    if "affine" in beside:
        affine = np.asarray(beside["affine"], dtype=np.float64)
        if affine.shape != (4, 4):
            raise InputError("a (4, 4) affine", came=f"shape {affine.shape}", case=path)
    elif "spacing_mm" in beside:
        spacing = tuple(float(size) for size in beside["spacing_mm"].ravel())
        if len(spacing) != data.ndim - 1 or not all(0 < size < np.inf for size in spacing):
            raise InputError(
                f"{data.ndim - 1} voxel sizes above 0 mm", came=str(spacing), case=path
            )
        affine = spacing_affine(spacing)
    unit = str(beside["unit"]) if "unit" in beside else "a.u."
    modality = str(beside["modality"]) if "modality" in beside else "unknown"
    tensor = to_tensor(data, label=unit == "label", case=path)
    return Image(
        tensor, affine, unit=unit, modality=modality, stored=data.dtype.newbyteorder("=").name
    )


class Npz(Format):
    """``.npz``: the array ``image`` or the only one; optional ``affine``, ``spacing_mm``, ``unit``.

    Also optional: ``modality`` and ``channel_axis`` (its presence says that the first axis is the
    channel, as it always is with four axes).
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npz",)

    def read(self, path: Path) -> Image:
        """See :class:`Format`; raises InputError where it is not clear which array is the image."""
        names = array_names(path)
        images = [name for name in names if name not in _BESIDE]
        if "image" in images:
            images = ["image"]
        if len(images) != 1:
            raise InputError(
                "an array named 'image'",
                came=", ".join(images[:6]) or "no arrays",
                case=path,
                remedy="name the array or open the data set with its own source",
            )
        known = [name for name in _BESIDE if name in names]
        array, *others = read_arrays(path, images[0], *known)
        return _image(array, dict(zip(known, others, strict=True)), path)

    def encode(self, image: Image, path: Path) -> bytes:
        """See :class:`Format`; any number of channels."""
        single = int(image.data.shape[0]) == 1
        array = to_stored(image.data[0] if single else image.data, image.stored, path)
        arrays: dict[str, Any] = {
            "image": array,
            "affine": image.affine,
            "unit": np.array(image.unit),
            "modality": np.array(image.modality),
        }
        if not single:
            arrays["channel_axis"] = np.array(0)
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        return content.getvalue()


class Npy(Format):
    """``.npy``: a bare array, read with a spacing of 1 mm and never written."""

    suffixes: ClassVar[tuple[str, ...]] = (".npy",)

    def read(self, path: Path) -> Image:
        """See :class:`Format`."""
        return _image(read_array(path), {}, path)

    def encode(self, image: Image, path: Path) -> bytes:
        """Raise InputError: a bare array would lose the geometry."""
        raise InputError(
            "a format that keeps geometry and unit", came=".npy", case=path, remedy="write .npz"
        )
