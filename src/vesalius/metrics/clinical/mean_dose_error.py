"""Error of the mean dose of a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import errors_in_structure, mean_dose
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class MeanDoseError(CaseMetric):
    """Predicted minus reference mean dose of a structure, in Gy; the mask is the structure."""

    name: ClassVar[str] = "mean_dose_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = (
        "Drzymala et al., Int J Radiat Oncol Biol Phys 21:71, 1991, "
        "doi:10.1016/0360-3016(91)90168-4"
    )

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """Gray."""
        return "Gy"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the structure is empty."""
        return errors_in_structure(predicted, reference, mask, mean_dose)
