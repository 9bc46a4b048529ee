"""Root mean squared error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, clipped
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.mse import mean_squared_error


@dataclass(frozen=True)
class RMSE(CaseMetric):
    """Square root of a case's mean squared error over the mask and the channels.

    Parameters
    ----------
    data_unit:
        Unit of the images and of the value.
    limits:
        (low, high) to which both images are clipped first; None leaves them as they are.
    """

    name: ClassVar[str] = "rmse"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Wang & Bovik, IEEE SPM 26:98, 2009, doi:10.1109/MSP.2008.930649"

    data_unit: str
    limits: tuple[float, float] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_limits(self.limits)

    @property
    def unit(self) -> str:
        """The unit of the images."""
        return self.data_unit

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        predicted, reference, mask = checked(predicted, reference, mask)
        return mean_squared_error(
            clipped(predicted, self.limits), clipped(reference, self.limits), mask
        ).sqrt()
