"""Mean absolute error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, clipped, masked_mean
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class MAE(CaseMetric):
    """Mean of |predicted - reference| over the mask and the channels.

    Parameters
    ----------
    data_unit:
        Unit of the images and of the value ("HU", "SUV", "Gy", "1").
    limits:
        (low, high) to which both images are clipped first; None leaves them as they are.

    Examples
    --------
    >>> import torch
    >>> MAE("HU").statistic(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0)).item()
    3.0
    """

    name: ClassVar[str] = "mae"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Willmott & Matsuura, Clim Res 30:79, 2005, doi:10.3354/cr030079"

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
        difference = clipped(predicted, self.limits) - clipped(reference, self.limits)
        return masked_mean(difference.abs(), mask)
