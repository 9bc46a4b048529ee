"""Mean squared error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, clipped, masked_mean
from vesalius.metrics.metric import CaseMetric


def mean_squared_error(predicted: Tensor, reference: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of (predicted - reference)² of float64 images; ``(batch,)``, NaN for an empty mask."""
    return masked_mean((predicted - reference).square_(), mask)


@dataclass(frozen=True)
class MSE(CaseMetric):
    """Mean of (predicted - reference)² over the mask and the channels.

    Parameters
    ----------
    data_unit:
        Unit of the images; the value has its square.
    limits:
        (low, high) to which both images are clipped first; None leaves them as they are.
    """

    name: ClassVar[str] = "mse"
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
        """The square of the images' unit."""
        return "1" if self.data_unit == "1" else f"{self.data_unit}²"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        predicted, reference, mask = checked(predicted, reference, mask)
        return mean_squared_error(
            clipped(predicted, self.limits), clipped(reference, self.limits), mask
        )
