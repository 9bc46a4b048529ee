"""Area under the receiver operating characteristic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.table_metric import TableMetric, checked_table
from vesalius.metrics.description import parameters_of


def area_under_curve(scores: Tensor, positive: Tensor) -> float:
    """Chance that a positive case scores above a negative one, equal scores counting half.

    ``scores`` ``(n,)``, ``positive`` ``(n,)`` bool; NaN unless there is one of each.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return math.nan
    _, place, counts = torch.unique(scores, return_inverse=True, return_counts=True)
    last_rank = counts.cumsum(0).to(torch.float64)
    rank = (last_rank - (counts - 1) / 2)[place]  # tied scores share the mean of their ranks
    wins = float(rank[positive].sum()) - n_positive * (n_positive + 1) / 2
    return wins / (n_positive * n_negative)


def operating_points(scores: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """The ROC curve: false and true positive rates, from calling nobody to calling everybody.

    One point for each distinct score, and the origin; NaN where there is none of a kind.
    """
    ordered, place = torch.unique(scores, return_inverse=True)
    rates = []
    for of in (~positive, positive):
        at_score = torch.bincount(place[of], minlength=len(ordered)).flip(0)
        called = torch.cat([at_score.new_zeros(1), at_score.cumsum(0)])
        rates.append(called.to(torch.float64) / of.sum())
    return rates[0], rates[1]


@dataclass(frozen=True)
class AUC(TableMetric):
    """Area under the ROC curve; for several labels, the mean of each against the others.

    NaN where a label, or every other label, has no case.
    """

    name: ClassVar[str] = "auc"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = (
        "Hanley & McNeil, Radiology, 1982, doi:10.1148/radiology.143.1.7063747"
    )

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a probability."""
        return "1"

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """See :meth:`TableMetric.value`."""
        scores, labels = checked_table(scores, labels)
        if scores.ndim == 1:
            return area_under_curve(scores, labels == 1)
        areas = [area_under_curve(scores[:, k], labels == k) for k in range(scores.shape[1])]
        return math.fsum(areas) / len(areas)
