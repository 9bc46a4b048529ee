"""Error of the dose to the hottest part of a structure, in cubic centimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import dose_to_volume, errors_in_structure
from vesalius.metrics.clinical.surfaces import check_spacing
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class DoseToVolumeError(CaseMetric):
    """Predicted minus reference D_xcc, the dose that the hottest x cc of a structure get, in Gy.

    The mask is the structure. The volume is rounded to whole voxels, one at least, as OpenKBP does;
    a structure smaller than it is judged by its least dose.

    Parameters
    ----------
    volume_cc:
        x, in cubic centimetres.
    spacing_mm:
        Three voxel sizes.
    """

    name: ClassVar[str] = "dose_to_volume_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = (
        "Drzymala et al., Int J Radiat Oncol Biol Phys 21:71, 1991, "
        "doi:10.1016/0360-3016(91)90168-4"
    )

    volume_cc: float
    spacing_mm: tuple[float, float, float]

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("volume_cc", self.volume_cc)
        check_spacing(self.spacing_mm, (0, 0, 0))

    @property
    def unit(self) -> str:
        """Gray."""
        return "Gy"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the structure is empty."""
        return errors_in_structure(predicted, reference, mask, self._value)

    def _value(self, dose_gy: Tensor) -> float:
        return dose_to_volume(dose_gy, self.volume_cc, math.prod(self.spacing_mm))
