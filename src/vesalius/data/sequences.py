"""Files of image sequences: frames of one field of view over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.data.arrays import array_names, read_arrays
from vesalius.data.checks import require_finite_values
from vesalius.data.files import broken, require_file
from vesalius.data.formats import read_image
from vesalius.data.stored import to_tensor

_BESIDE = ("time_axis", "spacing_mm", "unit", "modality")


@dataclass(frozen=True, eq=False)
class ImageSequence:
    """Frames over time.

    Parameters
    ----------
    data:
        ``(channel, time, height, width)`` or ``(channel, time, depth, height, width)``.
    spacing_mm:
        Voxel size along each axis of space; None where the file does not say it.
    unit, modality, stored:
        As of :class:`~vesalius.core.image.Image`.
    """

    data: Tensor
    spacing_mm: tuple[float, ...] | None = None
    unit: str = "a.u."
    modality: str = "unknown"
    stored: str = "float32"


def read_sequence(path: Path | str) -> ImageSequence:
    """The sequence in a file.

    NIfTI: time is the last axis, of three ``(x, y, time)`` or of four; a third axis of one slice is
    left out, so that frames are 2D. ``.npz``: the array ``frames`` or ``image``, or the only one,
    of 3 or 4 axes with time first, or where ``time_axis`` in the file says it is. ``.npy`` and
    HDF5: time is the first axis of three. Raises InputError, naming the file, for anything else,
    and for NaN.
    """
    path = Path(path)
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        found = _of_nifti(path)
    elif name.endswith(".npz"):
        found = _of_npz(path)
    else:
        image = read_image(path)
        if image.data.ndim != 4:
            raise InputError(
                "a sequence (time, height, width)", came=f"one image {image.space}", case=path
            )
        found = ImageSequence(image.data, None, image.unit, image.modality, image.stored)
    require_finite_values(found.data, str(path))
    return found


def _of_nifti(path: Path) -> ImageSequence:
    from nibabel import load
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    require_file(path)
    try:
        file = load(path, mmap=False)
        array = np.asanyarray(file.dataobj)
        sizes = tuple(float(size) for size in file.header.get_zooms())
    except (OSError, EOFError, ValueError, ImageFileError, HeaderDataError) as error:
        raise broken("NIfTI", path, error) from error
    while array.ndim > 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (3, 4):
        raise InputError(
            "a sequence (x, y, time) or (x, y, z, time)", came=f"shape {array.shape}", case=path
        )
    spacing = sizes[: array.ndim - 1]
    if array.ndim == 4 and array.shape[2] == 1:
        array, spacing = array[:, :, 0], spacing[:2]
    frames = np.moveaxis(array, -1, 0)[None]
    return ImageSequence(
        to_tensor(frames, label=False, case=path), spacing,
        stored=np.dtype(array.dtype).newbyteorder("=").name,
    )  # fmt: skip


def _of_npz(path: Path) -> ImageSequence:
    names = array_names(path)
    images = [name for name in names if name not in _BESIDE]
    chosen = [name for name in ("frames", "image") if name in images][:1] or images
    if len(chosen) != 1:
        raise InputError(
            "an array named 'frames'", came=", ".join(images[:6]) or "no arrays", case=path
        )
    known = [name for name in _BESIDE if name in names]
    array, *others = read_arrays(path, chosen[0], *known)
    beside = dict(zip(known, others, strict=True))
    axis = int(beside["time_axis"]) if "time_axis" in beside else 0
    if array.ndim not in (3, 4) or not -array.ndim <= axis < array.ndim:
        raise InputError(
            "an array of time and 2 or 3 axes of space, and a time_axis among them",
            came=f"shape {array.shape}, time_axis {axis}", case=path,
        )  # fmt: skip
    spacing = None
    if "spacing_mm" in beside:
        spacing = tuple(float(size) for size in np.ravel(beside["spacing_mm"]))
        if len(spacing) != array.ndim - 1 or not all(0 < size < np.inf for size in spacing):
            raise InputError(f"{array.ndim - 1} voxel sizes above 0 mm", came=spacing, case=path)
    frames: Tensor = to_tensor(np.moveaxis(array, axis, 0)[None], label=False, case=path)
    return ImageSequence(
        frames,
        spacing,
        unit=str(beside["unit"]) if "unit" in beside else "a.u.",
        modality=str(beside["modality"]) if "modality" in beside else "unknown",
        stored=array.dtype.newbyteorder("=").name,
    )
