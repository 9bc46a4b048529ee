"""Error of the dose to the hottest part of a structure, in percent of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import (
    check_percent,
    dose_to_percent,
    errors_in_structure,
)
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class DoseToPercentError(CaseMetric):
    """Predicted minus reference D_x%, the dose that x % of a structure get at least, in Gy.

    The mask is the structure. D_98% is the near-minimum, D_50% the median, D_2% the near-maximum.

    Parameters
    ----------
    percent:
        x, of the structure's volume.
    """

    name: ClassVar[str] = "dose_to_percent_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = (
        "Drzymala et al., Int J Radiat Oncol Biol Phys 21:71, 1991, "
        "doi:10.1016/0360-3016(91)90168-4"
    )

    percent: float

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_percent("percent", self.percent)

    @property
    def unit(self) -> str:
        """Gray."""
        return "Gy"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the structure is empty."""
        return errors_in_structure(
            predicted, reference, mask, lambda dose: dose_to_percent(dose, self.percent)
        )
