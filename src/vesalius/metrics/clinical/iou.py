"""Intersection over union of a named label."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions, voxels, where_judged
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class IoU(CaseMetric):
    """|A ∩ B| / |A ∪ B| of one label in two label maps, the Jaccard index.

    Zero where only one of the maps has the label.

    Parameters
    ----------
    label, label_name, both_absent:
        As for :class:`~vesalius.metrics.clinical.dice.Dice`.
    """

    name: ClassVar[str] = "iou"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = (
        "Jaccard, New Phytol 11:37, 1912, doi:10.1111/j.1469-8137.1912.tb05611.x"
    )

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
        value = voxels(found & truth) / voxels(found | truth)
        return where_judged(torch.where(value.isnan(), self.both_absent, value), judged)
