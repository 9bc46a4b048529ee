"""The same structure in another contrast: modality-independent descriptors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.generative.losses.window_mean import window_mean


def neighbourhood_descriptors(
    images: Tensor, *, radius: int = 1, distance: int = 1, floor: float = 1e-6
) -> Tensor:
    """MIND, ``(batch, channel, neighbour, *space)`` from 0 to 1 (Heinrich et al. 2012, eq. 4).

    For each of the 4 (2D) or 6 (3D) neighbours at ``distance`` voxels: exp(-D / V) with D the mean
    squared difference of the two patches of ``radius`` and V the mean of D over neighbours, divided
    by the largest. V is at least ``floor`` (squared model units). Edges are continued outwards.
    """
    dims = images.ndim - 2
    room = functional.pad(images, (distance,) * (2 * dims), mode="replicate")
    found = []
    for axis in range(2, images.ndim):
        centre = room
        for other in range(2, images.ndim):
            if other != axis:
                centre = centre.narrow(other, distance, images.shape[other])
        here = centre.narrow(axis, distance, images.shape[axis])
        for start in (0, 2 * distance):
            squared = (here - centre.narrow(axis, start, images.shape[axis])).square()
            padded = functional.pad(squared, (radius,) * (2 * dims), mode="replicate")
            found.append(window_mean(padded, 2 * radius + 1))
    distances = torch.stack(found, dim=2)
    variance = distances.mean(dim=2, keepdim=True).clamp(min=floor)
    least = distances.amin(dim=2, keepdim=True)
    return ((least - distances) / variance).exp()


@dataclass(frozen=True)
class StructureConsistency(Loss):
    """Mean absolute difference of MIND descriptors of predicted and *given*; 0 to 1, no unit.

    Descriptors see how alike a voxel's surroundings are, not their grey values: contrast may change
    and even be inverted, edges may not move. So it needs no pairs. ``radius`` and ``distance`` are
    in voxels, ``floor`` in squared model units. MIND: Heinrich et al. 2012,
    doi:10.1016/j.media.2012.05.008; as a loss for translation: Yang et al. 2020,
    doi:10.1109/TMI.2020.3015379 (with a larger neighbourhood than the 4 or 6 nearest here).
    """

    weight: float = 1.0
    radius: int = 1
    distance: int = 1
    floor: float = 1e-6
    against: Literal["given", "wanted"] = "given"

    def __post_init__(self) -> None:
        if self.radius < 0 or self.distance < 1 or not self.floor > 0:
            raise InputError(
                "a radius of 0 or more, a distance of 1 or more and a floor above zero",
                came=f"{self.radius}, {self.distance} and {self.floor}",
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 1."""
        drawn, known = (
            neighbourhood_descriptors(
                images, radius=self.radius, distance=self.distance, floor=self.floor
            )
            for images in (predicted, reference(predicted, batch, self.against))
        )
        return (drawn - known).abs().mean()
