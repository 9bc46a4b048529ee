"""Cross-entropy of classes that exclude one another."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.probabilities import probabilities


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Mean of -sum_class wanted log softmax(predicted), in nats; at least wanted's own entropy.

    ``predicted`` holds logits ``(batch, class, *space)`` or ``(batch, class)``; ``wanted`` is
    one-hot, or probabilities that sum to one.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        return functional.cross_entropy(predicted, probabilities(predicted, batch))
