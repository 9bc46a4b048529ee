"""Charbonnier's smooth absolute error."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class Charbonnier(Loss):
    """Mean sqrt((predicted - wanted)^2 + epsilon^2) - epsilon; in model units.

    Charbonnier et al., ICIP 1994, doi:10.1109/ICIP.1994.413553. Papers leave out the constant
    -epsilon, which makes zero the best value and changes no gradient.
    """

    weight: float = 1.0
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise InputError("an epsilon above zero", came=self.epsilon)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        error = predicted - reference(predicted, batch)
        return (error.square() + self.epsilon**2).sqrt().mean() - self.epsilon
