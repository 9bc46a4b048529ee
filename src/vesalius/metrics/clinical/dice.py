"""Dice overlap of a named label."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import dice_of, regions, where_judged
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class Dice(CaseMetric):
    """2 |A ∩ B| / (|A| + |B|) of one label in two label maps.

    Zero where only one of the maps has the label.

    Parameters
    ----------
    label:
        Its number in the maps.
    label_name:
        What it stands for, for the report.
    both_absent:
        The value where neither map has the label in the mask: NaN leaves the case out of the
        summary, 1.0 rewards it (BraTS).
    """

    name: ClassVar[str] = "dice"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Dice, Ecology 26:297, 1945, doi:10.2307/1932409"

    label: int
    label_name: str
    both_absent: float = field(default=math.nan, kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        found, truth, judged = regions(predicted, reference, mask, self.label)
        value = dice_of(found, truth)
        return where_judged(torch.where(value.isnan(), self.both_absent, value), judged)
