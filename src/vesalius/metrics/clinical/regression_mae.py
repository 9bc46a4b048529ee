"""Mean absolute error of a predicted quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.paired_values_metric import PairedValuesMetric, checked_pairs
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class RegressionMAE(PairedValuesMetric):
    """Mean absolute difference of predicted and observed values; NaN for none.

    Parameters
    ----------
    data_unit:
        Unit of the values ("years", "%", "ml").
    """

    name: ClassVar[str] = "regression_mae"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Willmott & Matsuura, Clim Res 30:79, 2005, doi:10.3354/cr030079"

    data_unit: str = field(kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """That of the values."""
        return self.data_unit

    def value(self, predicted: Tensor, observed: Tensor) -> float:
        """See :meth:`PairedValuesMetric.value`."""
        predicted, observed = checked_pairs(predicted, observed)
        return float((predicted - observed).abs().mean()) if len(observed) else math.nan
