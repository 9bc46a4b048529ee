"""Turning a new image so that its axes run as those of the images that were trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from vesalius.core.image import Image

Directions = tuple[tuple[int, int], ...]
"""For each axis of space: the RAS axis it follows (0 right, 1 anterior, 2 superior), its sign."""

RADIOLOGICAL: Directions = ((1, -1), (0, -1))
"""Rows run backwards and columns to the patient's left: how axial slices are looked at."""


def has_geometry(image: Image) -> bool:
    """Whether the affine says anything: files without geometry are read with the identity."""
    return not np.array_equal(image.affine, np.eye(4))


def directions(image: Image) -> Directions:
    """Where each axis of space of ``image`` runs, by the RAS axis that it is nearest to."""
    from nibabel.orientations import io_orientation

    found = io_orientation(image.affine)[: len(image.space)]
    return tuple((int(axis), int(sign)) for axis, sign in found)


def superior_axis(image: Image) -> int:
    """The axis of space nearest to superior-inferior; the last one without geometry."""
    along = np.abs(image.affine[2, :3]) / np.linalg.norm(image.affine[:3, :3], axis=0)
    return int(np.argmax(along))


@dataclass(frozen=True)
class Turn:
    """Axis ``i`` of the turned image is axis ``order[i]`` of the image, backwards if flipped."""

    order: tuple[int, ...]
    flipped: tuple[bool, ...]

    @staticmethod
    def between(current: Directions, wanted: Directions) -> Turn | None:
        """From one orientation to another; None where they lie in different planes."""
        axes = [axis for axis, _ in current]
        if sorted(axes) != sorted(axis for axis, _ in wanted):
            return None
        order = tuple(axes.index(axis) for axis, _ in wanted)
        flipped = tuple(
            current[place][1] != sign for place, (_, sign) in zip(order, wanted, strict=True)
        )
        return Turn(order, flipped)

    @staticmethod
    def none(dims: int) -> Turn:
        """Nothing moves."""
        return Turn(tuple(range(dims)), (False,) * dims)

    def _flips(self) -> list[int]:
        return [axis + 1 for axis, flip in enumerate(self.flipped) if flip]

    def forward(self, image: Image) -> Image:
        """``image`` turned, its affine with it."""
        data = image.data.permute(0, *(axis + 1 for axis in self.order)).flip(self._flips())
        affine = image.affine.copy()
        affine[:3, : len(self.order)] = image.affine[:3, list(self.order)]
        for axis, flip in enumerate(self.flipped):
            if flip:
                affine[:3, 3] += affine[:3, axis] * (data.shape[axis + 1] - 1)
                affine[:3, axis] *= -1
        return Image(data, affine, image.unit, image.modality, image.stored)

    def back(self, data: Tensor) -> Tensor:
        """Turned ``(channel, *space)`` as it was before."""
        data = data.flip(self._flips())
        places = [self.order.index(axis) + 1 for axis in range(len(self.order))]
        return data.permute(0, *places).contiguous()


def slice_of(image: Image, axis: int, index: int) -> Image:
    """Slice ``index`` of a volume across ``axis``, with its place in space.

    >>> import torch
    >>> slice_of(Image(torch.zeros(1, 4, 5, 6)), 2, 3).affine[:3, 3].tolist()
    [0.0, 0.0, 3.0]
    """
    inside = [other for other in range(3) if other != axis]
    affine = np.eye(4)
    affine[:3, :3] = image.affine[:3, [*inside, axis]]
    affine[:3, 3] = image.affine[:3, 3] + image.affine[:3, axis] * index
    return replace(image, data=image.data.select(axis + 1, index), affine=affine)
