"""Huber's error: squared where small, absolute where large."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import huber_loss

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class Huber(Loss):
    """Mean of d^2 / 2 for |d| up to ``threshold`` t, else t (|d| - t / 2), d = predicted - wanted.

    In squared model units; divided by t it is what others call smooth L1. Huber, Ann. Math. Stat.
    35:73, 1964.
    """

    weight: float = 1.0
    threshold: float = 0.1

    def __post_init__(self) -> None:
        if not self.threshold > 0:
            raise InputError("a threshold above zero", came=self.threshold)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        return huber_loss(predicted, reference(predicted, batch), delta=self.threshold)
