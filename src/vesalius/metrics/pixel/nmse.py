"""Normalised mean squared error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked, masked_sum
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class NMSE(CaseMetric):
    """|predicted - reference|² / |reference|² over the mask and the channels, as in fastMRI.

    It depends on where zero lies: a number in HU differs from one in HU + 1024. NaN where the
    reference is zero all over.
    """

    name: ClassVar[str] = "nmse"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Zbontar et al., fastMRI, 2018, arXiv:1811.08839"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a ratio."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or the reference zero in it."""
        predicted, reference, mask = checked(predicted, reference, mask)
        energy = masked_sum(reference.square(), mask)
        error = masked_sum((predicted - reference).square_(), mask)
        return torch.where(energy > 0, error / energy, math.nan)
