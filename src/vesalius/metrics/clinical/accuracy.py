"""Share of cases that a classifier gets right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.table_metric import TableMetric, checked_table, fraction
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class Accuracy(TableMetric):
    """The share of cases whose predicted label is the true one.

    The predicted label is that of the highest score (the first of equal ones); for scores of shape
    (n,), 1 where the score is at least ``operating_point``. NaN for an empty table.
    """

    name: ClassVar[str] = "accuracy"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Hastie et al., The Elements of Statistical Learning, 2009, section 7"

    operating_point: float = field(default=0.5, kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """See :meth:`TableMetric.value`."""
        scores, labels = checked_table(scores, labels)
        if scores.ndim == 1:
            return fraction((scores >= self.operating_point) == (labels == 1))
        return fraction(scores.argmax(dim=1) == labels)
