"""Error of the volume of a named label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions, voxels, where_judged
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class VolumeError(CaseMetric):
    """Predicted minus reference volume of one label, in ml; signed, best at zero.

    Zero where neither map has the label.

    Parameters
    ----------
    label, label_name:
        The label's number in the maps and what it stands for.
    spacing_mm:
        Three voxel sizes; for 2D images the third is the slice thickness.
    """

    name: ClassVar[str] = "volume_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = "Taha & Hanbury, BMC Med Imaging, 2015, doi:10.1186/s12880-015-0068-x"

    label: int
    label_name: str
    spacing_mm: tuple[float, float, float]

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("spacing_mm", *self.spacing_mm)
        if len(self.spacing_mm) != 3:
            raise InputError(
                "three voxel sizes",
                came=repr(self.spacing_mm),
                remedy="give the slice thickness as the third",
            )

    @property
    def unit(self) -> str:
        """Millilitres."""
        return "ml"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        found, truth, judged = regions(predicted, reference, mask, self.label)
        voxel_ml = math.prod(self.spacing_mm) / 1000
        return where_judged((voxels(found) - voxels(truth)) * voxel_ml, judged)
