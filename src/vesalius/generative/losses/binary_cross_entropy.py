"""Cross-entropy of yes and no, each channel by itself."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.probabilities import probabilities


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Mean of -w log p - (1 - w) log(1 - p) with p = sigmoid(predicted), w = wanted; in nats.

    ``predicted`` holds logits ``(batch, channel, *space)`` or ``(batch, channel)``; channels may be
    true together. At least wanted's own entropy.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        truth = probabilities(predicted, batch)
        return functional.binary_cross_entropy_with_logits(predicted, truth)
