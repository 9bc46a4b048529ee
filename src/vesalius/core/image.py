"""An image that knows what its numbers mean and where its voxels lie."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError


def spacing_affine(spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """A (4, 4) affine without rotation for 2 or 3 voxel sizes in mm, origin at voxel zero.

    >>> spacing_affine((2.0, 3.0)).diagonal().tolist()
    [2.0, 3.0, 1.0, 1.0]
    """
    affine = np.eye(4)
    for axis, size in enumerate(spacing_mm):
        affine[axis, axis] = size
    return affine


@dataclass(frozen=True, eq=False)
class Image:
    """A tensor with unit, grid and modality.

    Parameters
    ----------
    data:
        ``(channel, *space)`` with two or three axes of space; floating point, or integer for
        labels.
    affine:
        (4, 4), voxel index to RAS+ millimetres; the third column of a 2D image is the slice normal.
    unit:
        What a value of one means: ``"HU"``, ``"SUV"``, ``"Gy"``, ``"a.u."``, ``"label"``.
    modality:
        ``"CT"``, ``"MR-T1w"``, ``"PET"``, ``"DX"``, ``"mask"``, ...
    stored:
        The NumPy type name of the file that it came from, so that it can be written back alike.
    """

    data: Tensor
    affine: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    unit: str = "a.u."
    modality: str = "unknown"
    stored: str = "float32"

    def __post_init__(self) -> None:
        if self.data.ndim not in (3, 4):
            raise InputError(
                "data of shape (channel, *space) with 2 or 3 axes of space",
                came=f"shape {tuple(self.data.shape)}",
            )
        if self.affine.shape != (4, 4):
            raise InputError("a (4, 4) affine", came=f"shape {self.affine.shape}")

    @property
    def space(self) -> tuple[int, ...]:
        """Voxels along each axis of space."""
        return tuple(self.data.shape[1:])

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Voxel size along each axis of space, in mm."""
        norms = np.linalg.norm(self.affine[:3, :3], axis=0)
        return tuple(float(n) for n in norms[: len(self.space)])

    def with_data(
        self, data: Tensor, *, unit: str | None = None, modality: str | None = None
    ) -> Image:
        """The same grid with other values."""
        return replace(self, data=data, unit=unit or self.unit, modality=modality or self.modality)

    def require_finite(self, case: str) -> Image:
        """Return this image; InputError that names ``case`` if it holds NaN or infinity."""
        if self.data.is_floating_point() and not torch.isfinite(self.data).all():
            bad = int((~torch.isfinite(self.data)).sum())
            raise InputError(
                "finite values",
                came=f"{bad} NaN or infinite voxels",
                case=case,
                remedy="repair or leave out this case",
            )
        return self

    def require_same_grid(self, other: Image, case: str, tolerance_mm: float = 1e-2) -> None:
        """Raise an :class:`InputError` unless ``other`` has the same shape and affine."""
        if self.space != other.space:
            raise InputError(
                f"a pair of one size, {self.space}",
                came=str(other.space),
                case=case,
                remedy="resample one of the two onto the other",
            )
        shift = float(np.abs(self.affine - other.affine).max())
        if shift > tolerance_mm:
            raise InputError(
                "a pair with one affine",
                came=f"affines that differ by up to {shift:.3g} (spacings "
                f"{self.spacing_mm} and {other.spacing_mm} mm)",
                case=case,
                remedy="resample one of the two onto the other",
            )
