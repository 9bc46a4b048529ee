"""Where the slices of a series lie: their order, their spacing and the affine.

DICOM counts millimetres to the patient's left, back and head (LPS); we count to the right, front
and head (RAS), so the first two coordinates change sign. Reference: DICOM PS3.3, C.7.6.2.1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
SPACING_TOLERANCE = 0.02
"""Largest deviation of a gap between slices from the usual one, as a fraction of it."""

_ROUNDING_MM = 0.01
_DIRECTION_TOLERANCE = 1e-3


def _numbers(dataset: Dataset, keyword: str, count: int, case: str) -> NDArray[np.float64]:
    value = dataset.get(keyword)
    try:
        found = np.array([float(item) for item in value], dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise InputError(
            f"{count} numbers in {keyword}",
            case=case,
            came="none" if value is None else "something else",
            remedy="export the series again, uncompressed and single-frame",
        )
    return found


def _directions(dataset: Dataset, case: str) -> NDArray[np.float64]:
    """Unit vectors (2, 3): where the column index grows, where the row index grows."""
    found = _numbers(dataset, "ImageOrientationPatient", 6, case).reshape(2, 3)
    gram = found @ found.T
    if not np.allclose(gram, np.eye(2), atol=_DIRECTION_TOLERANCE):
        raise InputError(
            "an image orientation of two orthogonal unit vectors",
            came=f"{found.round(4).tolist()}",
            case=case,
        )
    return found


def _pixel_spacing_mm(dataset: Dataset, case: str) -> NDArray[np.float64]:
    """Distance between rows and between columns."""
    spacing = _numbers(dataset, "PixelSpacing", 2, case)
    if not (spacing > 0).all():
        raise InputError("a pixel spacing above 0 mm", came=str(spacing.tolist()), case=case)
    return spacing


def _affine(
    directions: NDArray[np.float64],
    spacing_mm: NDArray[np.float64],
    step_mm: NDArray[np.float64],
    origin_mm: NDArray[np.float64],
) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, 0] = directions[1] * spacing_mm[0]
    affine[:3, 1] = directions[0] * spacing_mm[1]
    affine[:3, 2] = step_mm
    affine[:3, 3] = origin_mm
    return np.asarray(_LPS_TO_RAS @ affine, dtype=np.float64)


def plane_affine(dataset: Dataset, case: str) -> NDArray[np.float64]:
    """The affine of one image, index (row, column) to RAS+ mm.

    The third column is the slice normal, as long as the slice is thick (1 mm where it does not
    say). An image without a place in the patient (a radiograph) gets its pixel spacing only, that
    at the detector if need be, and 1 mm where it has none.
    """
    if "ImageOrientationPatient" not in dataset or "ImagePositionPatient" not in dataset:
        affine = np.eye(4)
        for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
            if dataset.get(keyword):
                affine[[0, 1], [0, 1]] = _numbers(dataset, keyword, 2, case)
                break
        return affine
    directions = _directions(dataset, case)
    thickness = float(dataset.get("SliceThickness") or 1.0)
    return _affine(
        directions,
        _pixel_spacing_mm(dataset, case),
        np.cross(*directions) * thickness,
        _numbers(dataset, "ImagePositionPatient", 3, case),
    )


def ordered(datasets: Sequence[Dataset], case: str) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """The order of the slices along their normal, and the affine of the volume in that order.

    Raises InputError for slices that differ in direction or pixel spacing, lie twice at one place,
    leave a gap (a missing slice; the sentence says where and how wide), or do not lie on a line. A
    tilted gantry is no error: the affine is sheared.
    """
    directions = _directions(datasets[0], case)
    spacing_mm = _pixel_spacing_mm(datasets[0], case)
    for dataset in datasets[1:]:
        if not np.allclose(_directions(dataset, case), directions, atol=_DIRECTION_TOLERANCE):
            raise InputError(
                "slices of one orientation",
                came="several",
                case=case,
                remedy="leave out localizers and reformatted images",
            )
        if not np.allclose(_pixel_spacing_mm(dataset, case), spacing_mm, rtol=1e-4):
            raise InputError("slices of one pixel spacing", came="several", case=case)
    origins = np.stack([_numbers(d, "ImagePositionPatient", 3, case) for d in datasets])
    along = origins @ np.cross(*directions)
    order = np.argsort(along, kind="stable")
    origins, along = origins[order], along[order]
    gaps = np.diff(along)
    _check_gaps(along, gaps, case)
    step = (origins[-1] - origins[0]) / (len(origins) - 1)
    drift = np.linalg.norm(origins - origins[0] - np.outer(np.arange(len(origins)), step), axis=1)
    if drift.max() > max(SPACING_TOLERANCE * float(np.linalg.norm(step)), _ROUNDING_MM) * 2:
        raise InputError(
            "slices on one straight line",
            came=f"one {drift.max():.2f} mm beside it",
            case=case,
            remedy="pass one acquisition",
        )
    return tuple(int(i) for i in order), _affine(directions, spacing_mm, step, origins[0])


def _check_gaps(along: NDArray[np.float64], gaps: NDArray[np.float64], case: str) -> None:
    if gaps.min() < _ROUNDING_MM:
        place = along[int(gaps.argmin())]
        raise InputError(
            "one image at each position",
            case=case,
            came=f"two at {place:.2f} mm along the series",
            remedy="pass one echo, phase or time point",
        )
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    wrong = np.abs(gaps - usual) > max(SPACING_TOLERANCE * usual, _ROUNDING_MM)
    if not wrong.any():
        return
    worst = int(np.abs(gaps - usual).argmax())
    missing = round(gaps[worst] / usual) - 1
    guess = f" ({missing} slice{'' if missing == 1 else 's'} missing)" if missing > 0 else ""
    raise InputError(
        f"slices {usual:.2f} mm apart",
        case=case,
        came=f"a gap of {gaps[worst]:.2f} mm after {along[worst]:.2f} mm along the series{guess}",
        remedy="fetch the missing images or resample the series",
    )
