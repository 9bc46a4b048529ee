"""Universal image quality index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, masked_mean
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.structural_similarity import check_fits, inside, prepared
from vesalius.metrics.pixel.window import UniformWindow, Window, averaged, mirrored, window_axes

ROUNDING = 1e-14  # of a variance or a mean, relative to the mean square or its root


@dataclass(frozen=True)
class UQI(CaseMetric):
    """Correlation, luminance and contrast in windows, without SSIM's constants; so no data range.

    Mean over the mask and the channels of 4 cov mx my / ((vx + vy)(mx² + my²)), between -1 and 1.
    Noise in flat parts counts in full, which SSIM's constants avoid. Luminance asks how large
    values are: count HU from a lower limit. Windows without variance in either image are judged by
    luminance alone, windows whose means are zero by contrast
    and correlation.

    Parameters
    ----------
    data_unit:
        Unit of the images, for the report.
    window:
        ``UniformWindow(7)``, the odd size next to the paper's 8, or ``GaussianWindow()``.
    limits, slice_axis, border:
        As for :class:`~vesalius.metrics.pixel.ssim.SSIM`.
    """

    name: ClassVar[str] = "uqi"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Wang & Bovik, IEEE SPL 9:81, 2002, doi:10.1109/97.995823"

    data_unit: str = field(default="1", kw_only=True)
    window: Window = field(default=UniformWindow(), kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)
    border: Literal["exclude", "mirror"] = field(default="exclude", kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_limits(self.limits)

    @property
    def unit(self) -> str:
        """None: an index of at most 1."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty (its border off).

        Raises InputError for images smaller than the window.
        """
        x, y, mask = checked(predicted, reference, mask)
        x, y = (prepared(images, self.limits, None, False) for images in (x, y))
        axes = window_axes(y.ndim, self.slice_axis)
        radius = self.window.size // 2
        if self.border == "mirror":
            x, y = (mirrored(images, radius, axes) for images in (x, y))
        else:
            space = [y.shape[axis] for axis in axes]
            check_fits(space, self.window.size, "use a smaller window or border='mirror'")
            mask = inside(mask, radius, axes)
        return masked_mean(self._index(x, y, axes), mask)

    def _index(self, x: Tensor, y: Tensor, axes: tuple[int, ...]) -> Tensor:
        taps = self.window.taps()
        mean_x, mean_y = averaged(x, taps, axes), averaged(y, taps, axes)
        squares = averaged((x * x).add_(y * y), taps, axes)
        product = mean_x * mean_y
        mean_squares = mean_x.square_().add_(mean_y.square_())
        covariance = averaged(x * y, taps, axes).sub_(product)
        variances = squares - mean_squares
        flat = variances <= ROUNDING * squares
        empty = mean_squares <= ROUNDING**2 * squares
        luminance = torch.where(empty, 1.0, 2 * product / mean_squares)
        return torch.where(flat, 1.0, 2 * covariance / variances) * luminance
