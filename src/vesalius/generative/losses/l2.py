"""Mean squared error."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import mse_loss

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class L2(Loss):
    """Mean (predicted - wanted)^2."""

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        return mse_loss(predicted, reference(predicted, batch))
