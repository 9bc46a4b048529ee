"""Distance of what would be measured from what was."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.measured import measured


@dataclass(frozen=True)
class DataConsistency(Loss):
    """Mean |A predicted - y|^2 over all elements of the measurement, in its squared unit.

    A and y are the batch's operator and measurement; nothing is wanted, so it trains without truth.
    Elements that were not sampled are zero in both and count in the mean. The guidance of the same
    name enforces what this asks for.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        operator, measurement = measured(batch)
        error = operator.forward(predicted) - measurement
        return (error * error.conj()).real.mean()
