"""Where a displacement field turns space inside out."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.field import jacobian_determinant
from vesalius.generative.losses.loss import Loss


@dataclass(frozen=True)
class Folding(Loss):
    """Mean of max(margin - J, 0) with J the Jacobian determinant of x + field(x); no unit.

    ``predicted`` is ``(batch, axis, *space)`` in voxels. Zero where the determinant is at least
    ``margin`` everywhere. Kuang and Schmah 2019, arXiv:1811.09243.
    """

    weight: float = 1.0
    margin: float = 0.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        return (self.margin - jacobian_determinant(predicted)).clamp(min=0).mean()
