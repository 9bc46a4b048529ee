"""Normalised cross-correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked, masked_maximum, masked_mean, masked_sum
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class NCC(CaseMetric):
    """Pearson correlation of predicted and reference values over the mask and the channels.

    Between -1 and 1, blind to a shift and a positive scale. NaN where either image is constant in
    the mask.
    """

    name: ClassVar[str] = "ncc"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Lewis, Fast normalized cross-correlation, Vision Interface, 1995"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a correlation."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or an image constant in it."""
        predicted, reference, mask = checked(predicted, reference, mask)
        across = (-1,) + (1,) * (reference.ndim - 1)
        constant = _constant(predicted, mask) | _constant(reference, mask)
        predicted = predicted - masked_mean(predicted, mask).view(across)
        reference = reference - masked_mean(reference, mask).view(across)
        together = masked_sum(predicted * reference, mask)
        predicted_norm = masked_sum(predicted.square(), mask).sqrt()
        reference_norm = masked_sum(reference.square(), mask).sqrt()
        value = together / (predicted_norm * reference_norm)
        return torch.where(constant, math.nan, value).clamp(-1, 1)


def _constant(values: Tensor, mask: Tensor | None) -> Tensor:
    # exact, where the variance of a constant would be a rounding error above zero
    return masked_maximum(values, mask) == -masked_maximum(-values, mask)
