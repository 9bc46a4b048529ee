"""How often the patient at higher predicted risk has the event first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.survival_metric import SurvivalMetric, checked_survival
from vesalius.metrics.description import parameters_of


@dataclass(frozen=True)
class ConcordanceIndex(SurvivalMetric):
    """Harrell's C: the share of comparable pairs in which the higher risk has the event first.

    A pair is comparable if the case with the shorter time had the event, or if the times are equal
    and one case had the event while the other was censored. Equal risks count one half. NaN where
    no pair is comparable.
    """

    name: ClassVar[str] = "concordance_index"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Harrell et al., JAMA 247:2543, 1982"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a probability."""
        return "1"

    def value(self, risk: Tensor, time: Tensor, event: Tensor) -> float:
        """See :meth:`SurvivalMetric.value`."""
        risk, time, event = checked_survival(risk, time, event)
        comparable, wins = 0, 0.0
        for case in event.nonzero().flatten().tolist():
            later = (time > time[case]) | ((time == time[case]) & ~event)
            others = risk[later]
            comparable += len(others)
            wins += int((others < risk[case]).sum()) + int((others == risk[case]).sum()) / 2
        return wins / comparable if comparable else math.nan
