"""The grids on which patients are imaged: axial slices and stacks of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError

CENTRE_MM = (0.0, -10.0, 0.0)


@dataclass(frozen=True)
class Grid:
    """An axial slice ``(rows, columns)`` or a stack ``(slices, rows, columns)``.

    Rows run backwards (anterior first) and columns to the patient's left, as radiologists look at
    axial slices; slices run upwards. ``spacing_mm`` has one entry an axis; ``z_mm`` is the height
    of the slice, or of the middle of the stack; ``thickness_mm`` is that of a single slice.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    z_mm: float
    thickness_mm: float

    @staticmethod
    def of(size: tuple[int, ...], field_of_view_mm: tuple[float, ...], z_mm: float) -> Grid:
        """Make the grid of ``size`` that covers ``field_of_view_mm``, with two or three axes."""
        if len(size) not in (2, 3) or min(size) < 1:
            raise InputError("two or three sizes of one or more", came=str(tuple(size)))
        if len(field_of_view_mm) != len(size) or min(field_of_view_mm) <= 0:
            raise InputError(
                f"a field of view of {len(size)} positive lengths",
                came=str(tuple(field_of_view_mm)),
            )
        spacing = tuple(
            length / count for length, count in zip(field_of_view_mm, size, strict=True)
        )
        return Grid(tuple(size), spacing, z_mm, spacing[0] if len(size) == 3 else spacing[-1])

    @property
    def edge_mm(self) -> float:
        """Width of a voxel in the plane of the slices."""
        return sum(self.spacing_mm[-2:]) / 2

    def heights_mm(self) -> Tensor:
        """``(slices,)`` z of every slice."""
        if len(self.size) == 2:
            return torch.tensor([self.z_mm])
        count = self.size[0]
        return self.z_mm + (torch.arange(count) - (count - 1) / 2) * self.spacing_mm[0]

    def points(self, raise_mm: float = 0.0, stride: int = 1) -> Tensor:
        """Positions ``(*size, 3)`` of voxel centres in RAS+ mm, all raised by ``raise_mm``.

        With a ``stride``, those of every block of so many rows and columns.
        """
        axes = []
        for axis, centre in ((-2, CENTRE_MM[1]), (-1, CENTRE_MM[0])):
            count, spacing = self.size[axis], self.spacing_mm[axis]
            place = centre - (torch.arange(count) - (count - 1) / 2) * spacing
            whole = count // stride * stride
            axes.append(place[:whole].reshape(-1, stride).mean(1))
        z, y, x = torch.meshgrid(self.heights_mm() + raise_mm, *axes, indexing="ij")
        stacked = torch.stack((x, y, z), -1)
        return stacked[0] if len(self.size) == 2 else stacked

    def affine(self) -> NDArray[np.float64]:
        """(4, 4) from voxel index to RAS+ mm; the third column of a slice is its normal."""
        first = self.points().reshape(-1, 3)[0].numpy()
        affine = np.eye(4)
        up, back, left = (0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0)
        columns = (back, left, up) if len(self.size) == 2 else (up, back, left)
        lengths = self.spacing_mm if len(self.size) == 3 else (*self.spacing_mm, self.thickness_mm)
        for column, (direction, length) in enumerate(zip(columns, lengths, strict=True)):
            affine[:3, column] = np.array(direction) * length
        affine[:3, 3] = first
        return affine
