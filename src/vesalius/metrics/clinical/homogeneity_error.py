"""Error of the homogeneity of the dose in a target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import dose_to_percent, errors_in_structure
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


def homogeneity_index(dose_gy: Tensor) -> float:
    """(D_2% - D_98%) / D_50% of doses ``(n,)``; NaN for none and for a median of zero."""
    near_maximum, median, near_minimum = (dose_to_percent(dose_gy, x) for x in (2, 50, 98))
    return (near_maximum - near_minimum) / median if median else math.nan


@dataclass(frozen=True)
class HomogeneityError(CaseMetric):
    """Predicted minus reference homogeneity index (D_2% - D_98%) / D_50% of a target.

    The mask is the target. An index of zero is a uniform dose: a prediction with an error below
    zero looks more uniform than the plan is. NaN where the median dose is zero.
    """

    name: ClassVar[str] = "homogeneity_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = "ICRU Report 83, J ICRU 10(1), 2010, section 3.7"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a ratio of doses."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the structure is empty."""
        return errors_in_structure(predicted, reference, mask, homogeneity_index)
