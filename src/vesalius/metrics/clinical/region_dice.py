"""Dice overlap of what two physical images show beyond a threshold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import check_one_channel, dice_of
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class RegionDice(CaseMetric):
    """Dice of the regions of predicted and reference image beyond a threshold.

    Bone in CT, uptake in PET, dose above a level: what a threshold in physical units means to the
    clinic. Zero where only one of the images has the region, NaN where neither has it.

    Parameters
    ----------
    threshold:
        In the unit of the images.
    region_name:
        What lies beyond it ("bone"), for the report.
    data_unit:
        Unit of the images.
    side:
        "above": values of at least the threshold; "below": values under it.
    """

    name: ClassVar[str] = "region_dice"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Dice, Ecology 26:297, 1945, doi:10.2307/1932409"

    threshold: float
    region_name: str
    data_unit: str = field(kw_only=True)
    side: Literal["above", "below"] = field(default="above", kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or neither image has the region."""
        predicted, reference, mask = checked(predicted, reference, mask)
        check_one_channel(reference)
        return dice_of(self._region(predicted, mask), self._region(reference, mask))

    def _region(self, images: Tensor, mask: Tensor | None) -> Tensor:
        above = images >= self.threshold
        region = above if self.side == "above" else ~above
        return region if mask is None else region & mask
