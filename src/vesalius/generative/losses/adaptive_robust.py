"""Barron's family of robust errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference

NEARLY_ZERO = 1e-9  # an alpha by which one cannot divide is its limit


@dataclass(frozen=True)
class AdaptiveRobust(Loss):
    """Mean of rho(predicted - wanted, alpha, scale); no unit.

    ``alpha`` 2 is squared error, 1 Charbonnier's, 0 Cauchy's, -2 Geman and McClure's, -inf
    Welsch's: the lower, the less do outliers count. Below ``scale`` (model units) all are
    d^2 / (2 scale^2). Barron, CVPR 2019, arXiv:1701.03077, equations 8 and 13. Both numbers are
    settings here; Barron can also learn them with the weights.
    """

    weight: float = 1.0
    alpha: float = 1.0
    scale: float = 0.1

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise InputError("a scale above zero", came=self.scale)
        if math.isnan(self.alpha) or self.alpha == math.inf:
            raise InputError("an alpha below infinity", came=self.alpha)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        squared = ((predicted - reference(predicted, batch)) / self.scale).square()
        return self._rho(squared).mean()

    def _rho(self, squared: Tensor) -> Tensor:
        if self.alpha == 2:
            return squared / 2
        if abs(self.alpha) < NEARLY_ZERO:
            return torch.log1p(squared / 2)
        if self.alpha == -math.inf:
            return -torch.expm1(-squared / 2)
        away = abs(self.alpha - 2)
        grown = torch.expm1(self.alpha / 2 * torch.log1p(squared / away))
        return (away / self.alpha) * grown
