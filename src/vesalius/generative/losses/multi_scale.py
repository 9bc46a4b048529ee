"""A loss at several resolutions."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.l1 import L1
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class MultiScale(Loss):
    """Mean of ``loss`` over ``scales`` resolutions, each half the one before; in the loss's unit.

    Predicted and wanted images are halved by means of blocks; the loss sees nothing else of the
    batch. Its own weight is not used.
    """

    weight: float = 1.0
    loss: Loss = field(default_factory=L1)
    scales: int = 3

    def __post_init__(self) -> None:
        if self.scales < 1:
            raise InputError("one scale or more", came=self.scales)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar. Raises InputError for images too small for the scales."""
        truth = reference(predicted, batch)
        if min(truth.shape[2:]) < 2 ** (self.scales - 1):
            raise InputError(
                f"at least {2 ** (self.scales - 1)} voxels along every axis",
                came="x".join(map(str, truth.shape[2:])),
                remedy="use fewer scales",
            )
        pool = functional.avg_pool2d if truth.ndim == 4 else functional.avg_pool3d
        found = [self.loss(predicted, Batch(wanted=truth))]
        for _ in range(self.scales - 1):
            predicted, truth = pool(predicted, 2), pool(truth, 2)
            found.append(self.loss(predicted, Batch(wanted=truth)))
        return torch.stack(found).mean()
