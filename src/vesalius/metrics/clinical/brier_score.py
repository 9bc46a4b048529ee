"""Squared distance between what a classifier says and what is so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.table_metric import TableMetric, checked_table
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class BrierScore(TableMetric):
    """Mean squared difference of probabilities and outcomes; sees calibration and sharpness.

    For scores of shape (n,), the mean of (p - y)², from 0 to 1, and 0.25 for always 0.5. For scores
    (n, label), summed over the labels as Brier does, from 0 to 2, so two columns give twice the
    value of one. NaN for an empty table.
    """

    name: ClassVar[str] = "brier_score"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Brier, Mon Weather Rev 78:1, 1950"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a squared probability."""
        return "1"

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """See :meth:`TableMetric.value`."""
        scores, labels = checked_table(scores, labels)
        if not len(scores):
            return math.nan
        if scores.ndim == 1:
            return float((scores - labels).square().mean())
        truth = torch.nn.functional.one_hot(labels, scores.shape[1])
        return float((scores - truth).square().sum(dim=1).mean())
