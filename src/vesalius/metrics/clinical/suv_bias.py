"""Bias of the uptake in a region."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import check_one_channel
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked, masked_maximum, masked_mean
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class SUVBias(CaseMetric):
    """Predicted minus reference uptake of a region, in percent of the reference.

    The mask is the region. NaN where the reference uptake is not above zero. Since it is relative,
    any unit that is proportional to uptake (SUV, Bq/ml) gives the same number.

    Parameters
    ----------
    uptake:
        "mean": SUVmean; "maximum": SUVmax, one voxel, which noise raises.
    """

    name: ClassVar[str] = "suv_bias"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = (
        "Boellaard et al., Eur J Nucl Med Mol Imaging 42:328, 2015, doi:10.1007/s00259-014-2961-x"
    )

    uptake: Literal["mean", "maximum"] = field(default="mean", kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """Percent of the reference."""
        return "%"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        predicted, reference, mask = checked(predicted, reference, mask)
        check_one_channel(reference)
        of_region = masked_mean if self.uptake == "mean" else masked_maximum
        found, truth = of_region(predicted, mask), of_region(reference, mask)
        return torch.where(truth > 0, 100 * (found - truth) / truth, math.nan)
