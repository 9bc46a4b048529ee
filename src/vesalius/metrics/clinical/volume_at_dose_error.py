"""Error of the part of a structure that gets a dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import errors_in_structure, percent_at_dose
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class VolumeAtDoseError(CaseMetric):
    """Predicted minus reference V_xGy: percentage points of a structure that get at least x Gy.

    The mask is the structure; a voxel with a dose of exactly x Gy gets it.

    Parameters
    ----------
    threshold_gy:
        x, in Gy.
    """

    name: ClassVar[str] = "volume_at_dose_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = (
        "Drzymala et al., Int J Radiat Oncol Biol Phys 21:71, 1991, "
        "doi:10.1016/0360-3016(91)90168-4"
    )

    threshold_gy: float

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("threshold_gy", self.threshold_gy)

    @property
    def unit(self) -> str:
        """Percentage points of the volume of the structure."""
        return "percentage points"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the structure is empty."""
        return errors_in_structure(
            predicted, reference, mask, lambda dose: percent_at_dose(dose, self.threshold_gy)
        )
