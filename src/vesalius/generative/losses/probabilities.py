"""What losses of classes are given: logits, and the truth as probabilities."""

from __future__ import annotations

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import reference


def probabilities(logits: Tensor, batch: Batch) -> Tensor:
    """The wanted classes, of the logits' shape, each from 0 to 1; raises InputError if not."""
    truth = reference(logits, batch)
    low, high = float(truth.min()), float(truth.max())
    if not (low >= 0 and high <= 1):
        raise InputError(
            "wanted classes as probabilities or one-hot, from 0 to 1",
            came=f"values from {low:g} to {high:g}",
        )
    return truth.to(logits.dtype)
