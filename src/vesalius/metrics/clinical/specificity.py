"""Share of the negative cases that a classifier leaves alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.table_metric import TableMetric, checked_binary, fraction
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class Specificity(TableMetric):
    """The share of cases with label 0 whose score is below ``operating_point``.

    NaN where there is no such case.
    """

    name: ClassVar[str] = "specificity"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Altman & Bland, BMJ 308:1552, 1994, doi:10.1136/bmj.308.6943.1552"

    operating_point: float = field(default=0.5, kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """See :meth:`TableMetric.value`; scores of shape (n,) only."""
        scores, labels = checked_binary(scores, labels)
        return fraction(scores[labels == 0] < self.operating_point)
