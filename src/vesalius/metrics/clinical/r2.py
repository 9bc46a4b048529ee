"""Share of the variance that a regression explains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.paired_values_metric import PairedValuesMetric, checked_pairs
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class R2(PairedValuesMetric):
    """Coefficient of determination: 1 - sum of squared errors / sum of squares about the mean.

    Zero for what always predicts the observed mean, below zero for worse. It is not the squared
    correlation, which does not see a wrong scale. NaN for fewer than two cases and where all
    observed values are the same.
    """

    name: ClassVar[str] = "r2"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Wright, J Agric Res 20:557, 1921"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def value(self, predicted: Tensor, observed: Tensor) -> float:
        """See :meth:`PairedValuesMetric.value`."""
        predicted, observed = checked_pairs(predicted, observed)
        if not len(observed) or bool((observed == observed[0]).all()):
            return math.nan
        spread = (observed - observed.mean()).square().sum()
        return float(1 - (predicted - observed).square().sum() / spread)
