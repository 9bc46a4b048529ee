"""Normalised cross-correlation within a window that moves over the image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.generative.losses.window_mean import window_mean


@dataclass(frozen=True)
class LocalCrossCorrelation(Loss):
    """1 - mean squared correlation in windows of ``size`` voxels a side; 0 to 1, no unit.

    Avants et al. 2008, doi:10.1016/j.media.2007.06.004; as in VoxelMorph the square, so that it is
    blind to the sign of contrast, too. Windows lie inside the image. ``floor`` (model units to the
    fourth) keeps flat windows, in which nothing correlates, out of the way: they count as alike
    if both are flat.
    """

    weight: float = 1.0
    size: int = 9
    floor: float = 1e-6

    def __post_init__(self) -> None:
        if self.size < 2 or not self.floor > 0:
            raise InputError(
                "a size of 2 or more and a floor above zero", came=f"{self.size} and {self.floor}"
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 1. Raises InputError for images smaller than the window."""
        y = reference(predicted, batch)
        if min(y.shape[2:]) < self.size:
            raise InputError(
                f"at least {self.size} voxels along every axis",
                came="x".join(map(str, y.shape[2:])),
                remedy="use a smaller window",
            )
        # moments about each case's mean lose fewer digits
        y = y - y.mean(dim=tuple(range(2, y.ndim)), keepdim=True)
        x = predicted - predicted.mean(dim=tuple(range(2, y.ndim)), keepdim=True)
        mean_x, mean_y, xx, yy, xy = (
            window_mean(image, self.size) for image in (x, y, x * x, y * y, x * y)
        )
        covariance = xy - mean_x * mean_y
        variances = (xx - mean_x.square()).clamp(min=0) * (yy - mean_y.square()).clamp(min=0)
        squared = (covariance.square() + self.floor) / (variances + self.floor)
        return 1 - torch.clamp(squared, max=1).mean()
