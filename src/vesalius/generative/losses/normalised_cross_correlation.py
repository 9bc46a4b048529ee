"""One minus normalised cross-correlation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class NormalisedCrossCorrelation(Loss):
    """1 - each case's correlation of voxels, averaged over cases; 0 to 2, no unit.

    Does not change when an image is scaled by a positive number or shifted. ``floor`` (squared
    model units) is added to both variances and to the covariance, so two constant images agree.
    """

    weight: float = 1.0
    floor: float = 1e-8

    def __post_init__(self) -> None:
        if not self.floor > 0:
            raise InputError("a floor above zero", came=self.floor)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 2."""
        x, y = predicted.flatten(1), reference(predicted, batch).flatten(1)
        x, y = x - x.mean(dim=1, keepdim=True), y - y.mean(dim=1, keepdim=True)
        covariance = (x * y).mean(dim=1) + self.floor
        variances = (x.square().mean(dim=1) + self.floor) * (y.square().mean(dim=1) + self.floor)
        return 1 - (covariance / variances.sqrt()).mean()
