"""How far predicted displacements are from true ones, relative to their size."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.field import require_field
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class DistanceError(Loss):
    """Each case's sum |predicted - wanted|^2 / sum |wanted|^2 of vectors, averaged; no unit.

    Both are ``(batch, axis, *space)`` in voxels. ``floor`` (squared voxels, a mean) keeps fields
    at rest finite. Zheng et al. 2024, DRDM, arXiv:2407.07295.
    """

    weight: float = 1.0
    floor: float = 1e-6

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        require_field(predicted)
        truth = reference(predicted, batch)
        squared = (predicted - truth).square().flatten(1).mean(dim=1)
        return (squared / (truth.square().flatten(1).mean(dim=1) + self.floor)).mean()
