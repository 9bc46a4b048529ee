"""Peak signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, clipped
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.data_range import DataRange, case_ranges, check_data_range
from vesalius.metrics.pixel.mse import mean_squared_error


@dataclass(frozen=True)
class PSNR(CaseMetric):
    """10 log10(data_range² / MSE) over the mask and the channels.

    Identical images have an infinite PSNR.

    Parameters
    ----------
    data_range:
        A number in the unit of the images, or "reference_maximum": each case's largest reference
        value in the mask (fastMRI).
    data_unit:
        Unit of the images, for the report.
    limits:
        (low, high) to which both images are clipped first; None leaves them as they are.

    Examples
    --------
    >>> import torch
    >>> ones = torch.ones(1, 1, 2, 2)
    >>> round(PSNR(100.0).statistic(ones, 2 * ones).item(), 6)
    40.0
    """

    name: ClassVar[str] = "psnr"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Huynh-Thu & Ghanbari, Electron Lett, 2008, doi:10.1049/el:20080522"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)

    @property
    def unit(self) -> str:
        """Decibel."""
        return "dB"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or no range can be told."""
        predicted, reference, mask = checked(predicted, reference, mask)
        predicted, reference = clipped(predicted, self.limits), clipped(reference, self.limits)
        error = mean_squared_error(predicted, reference, mask)
        ranges = case_ranges(self.data_range, reference, mask)
        return 10 * (ranges.square() / error).log10()
