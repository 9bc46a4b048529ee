"""Displacement fields as losses see them."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError


def require_field(predicted: Tensor) -> None:
    """Raise InputError unless ``predicted`` is ``(batch, axis, *space)``, an entry an axis."""
    if predicted.ndim not in (4, 5) or predicted.shape[1] != predicted.ndim - 2:
        raise InputError(
            "a displacement field (batch, axis, *space), one channel an axis of space",
            came=f"shape {tuple(predicted.shape)}",
        )


def jacobian_determinant(field: Tensor) -> Tensor:
    """Volume that a voxel has after ``x -> x + field(x)``, relative: ``(batch, *space - 1)``.

    ``field`` is ``(batch, axis, *space)`` in voxels, channel k along the k-th axis of space.
    Derivatives are forward differences. One where nothing moves, zero or less where space folds.
    """
    require_field(field)
    dims = field.ndim - 2
    rows = []
    for axis in range(dims):
        slope = field.diff(dim=axis + 2)
        for other in range(dims):
            if other != axis:
                slope = slope.narrow(other + 2, 0, field.shape[other + 2] - 1)
        unit = torch.zeros(dims, dtype=field.dtype, device=field.device)
        unit[axis] = 1
        rows.append(slope + unit.view(-1, *(1,) * dims))
    if dims == 2:
        return rows[0][:, 0] * rows[1][:, 1] - rows[0][:, 1] * rows[1][:, 0]
    normal: Tensor = torch.linalg.cross(rows[1], rows[2], dim=1)
    return (rows[0] * normal).sum(dim=1)
