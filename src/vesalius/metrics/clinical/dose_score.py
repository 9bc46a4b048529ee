"""Mean absolute dose error where dose can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import check_one_channel, where_judged
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked, masked_count
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class DoseScore(CaseMetric):
    """OpenKBP's dose score: summed |dose error| over the number of possible-dose voxels, in Gy.

    The mask is where dose can be. The prediction is taken as zero outside it; dose of the reference
    out there counts as an error.
    """

    name: ClassVar[str] = "dose_score"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Babier et al., Med Phys 48:5549, 2021, doi:10.1002/mp.14845"

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """Gray."""
        return "Gy"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        predicted, reference, mask = checked(predicted, reference, mask)
        check_one_channel(reference)
        possible = masked_count(reference, mask)
        if mask is not None:
            predicted = predicted.masked_fill(~mask, 0)
        error = (predicted - reference).abs().flatten(1).sum(dim=1)
        return where_judged(error / possible, possible > 0)
