"""Fields on a regular lattice in millimetres, read between its nodes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Lattice:
    """Nodes at ``low_mm + spacing_mm * index`` along x, y and z, ``shape`` of them."""

    low_mm: tuple[float, float, float]
    spacing_mm: float
    shape: tuple[int, int, int]

    def points(self) -> Tensor:
        """``(nx, ny, nz, 3)`` positions of the nodes in mm."""
        axes = [
            low + self.spacing_mm * torch.arange(count, dtype=torch.float32)
            for low, count in zip(self.low_mm, self.shape, strict=True)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)

    def read(self, fields: Tensor, points: Tensor) -> Tensor:
        """Trilinear values of ``fields`` ``(nx, ny, nz, c)`` at ``points`` ``(n, 3)``: ``(n, c)``.

        Outside the lattice the value at its nearest face is returned.
        """
        channels = fields.shape[-1]
        rows = fields.reshape(-1, channels)
        counts = torch.tensor(self.shape)
        place = (points - points.new_tensor(self.low_mm)) / self.spacing_mm
        place = torch.minimum(place.clamp_min(0), (counts - 1).to(points.dtype))
        corner = torch.minimum(place.long(), counts - 2)
        weight = place - corner
        stride = (self.shape[1] * self.shape[2], self.shape[2], 1)
        base = corner[:, 0] * stride[0] + corner[:, 1] * stride[1] + corner[:, 2]
        total = torch.zeros(points.shape[0], channels, dtype=fields.dtype)
        for step_x in (0, 1):
            for step_y in (0, 1):
                for step_z in (0, 1):
                    share = torch.ones(points.shape[0], dtype=fields.dtype)
                    for axis, step in enumerate((step_x, step_y, step_z)):
                        share = share * (weight[:, axis] if step else 1 - weight[:, axis])
                    index = base + step_x * stride[0] + step_y * stride[1] + step_z
                    total.addcmul_(rows.index_select(0, index), share[:, None])
        return total

    def gradient(self, field: Tensor) -> Tensor:
        """``(nx, ny, nz, 3)`` derivatives per mm of a scalar field ``(nx, ny, nz)``."""
        parts = torch.gradient(field, spacing=self.spacing_mm)
        return torch.stack(list(parts), -1)
