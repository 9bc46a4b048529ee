"""Distance between what a classifier says and how often it is so."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.table_metric import TableMetric, checked_table
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class CalibrationError(TableMetric):
    """Expected calibration error: mean |confidence - frequency| over bins of equal width.

    For scores of shape (n,) the confidence is the score and the frequency that of label 1; for
    scores (n, label) the confidence is the highest score and the frequency that of its label being
    true. Bins weigh as many cases as they hold. NaN for an empty table.
    """

    name: ClassVar[str] = "calibration_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Naeini et al., AAAI 2015; Guo et al., ICML 2017, arXiv:1706.04599"

    bins: int = field(default=15, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise InputError("at least one bin", came=repr(self.bins))

    @property
    def unit(self) -> str:
        """None: a difference of probabilities."""
        return "1"

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """See :meth:`TableMetric.value`."""
        confidence, frequency, count = self.reliability(scores, labels)
        if not len(count):
            return math.nan
        return float((count * (confidence - frequency).abs()).sum() / count.sum())

    def reliability(self, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean confidence, frequency and number of cases of each bin that has any, float64."""
        scores, labels = checked_table(scores, labels)
        if scores.ndim == 1:
            confidence, hit = scores, labels == 1
        elif len(scores):
            confidence, chosen = scores.max(dim=1)
            hit = chosen == labels
        else:
            confidence, hit = scores[:, 0], labels == 0
        place = (confidence * self.bins).to(torch.int64).clamp(max=self.bins - 1)
        rows = torch.stack([confidence, hit.to(torch.float64), torch.ones_like(confidence)])
        sums = torch.zeros(3, self.bins, dtype=torch.float64, device=scores.device)
        sums.index_add_(1, place, rows)
        said, true, count = sums[:, sums[2] > 0]
        return said / count, true / count, count
