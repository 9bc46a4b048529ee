"""Visual information fidelity, in the pixel domain."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, check_positive, checked, masked_sum
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.data_range import DataRange, check_data_range
from vesalius.metrics.pixel.grey_levels import in_grey_levels, where_told
from vesalius.metrics.pixel.offset import without_offset
from vesalius.metrics.pixel.structural_similarity import check_fits, every_second, inside
from vesalius.metrics.pixel.window import GaussianWindow, averaged, window_axes

NO_VARIANCE = 1e-10  # grey levels squared: below it a window is flat


@dataclass(frozen=True)
class VIF(CaseMetric):
    """Information on the reference that the prediction carries, over what the reference holds.

    A window of the prediction is a gain times that of the reference, plus noise; the observer adds
    noise to both. 1 for an image against itself, above 1 where contrast was added. The pixel-domain
    form (VIFp): Gaussian windows of 17, 9, 5 and 3 voxels, each scale half the one before. In a
    volume they span every axis; with ``slice_axis`` it is the published 2D measure, its information
    summed over the slices. A coarse voxel is in the mask if the voxel at its centre is.

    Parameters
    ----------
    data_range:
        A number in the unit of the images, or "reference_maximum": each case's largest reference
        value in the mask. It becomes 255 grey levels; 255 leaves the images as they are, as
        LDCT-Bench has it.
    data_unit:
        Unit of the images, for the report.
    limits:
        (low, high) to which both images are clipped first; None leaves them as they are.
    noise_variance:
        Of the observer, in grey levels squared.
    scales:
        4 need 41 voxels along every axis of the window, 3 need 17, 2 need 7.
    slice_axis:
        None: windows span every axis of space. 0, 1 or 2: a volume is a stack of slices along it.
    """

    name: ClassVar[str] = "vif"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Sheikh & Bovik, IEEE TIP 15:430, 2006, doi:10.1109/TIP.2005.859378"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    noise_variance: float = field(default=2.0, kw_only=True)
    scales: int = field(default=4, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)
        check_positive("noise_variance", self.noise_variance)
        if self.scales not in range(1, 7):
            raise InputError("1 to 6 scales", came=repr(self.scales))

    @property
    def unit(self) -> str:
        """None: a ratio of information."""
        return "1"

    @property
    def smallest_size(self) -> int:
        """Voxels that an image needs along every axis of the window."""
        size = 3
        for scale in range(self.scales - 1, 0, -1):
            size = 2 * size - 2 + _window(self.scales, scale).size
        return max(size, _window(self.scales, 0).size)

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty (its border off) or the reference flat.

        Raises InputError for images too small for the scales.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        axes = window_axes(reference.ndim, self.slice_axis)
        check_fits(
            [reference.shape[axis] for axis in axes],
            self.smallest_size,
            f"use fewer scales than {self.scales} or slice_axis",
        )
        x, y, ranges = in_grey_levels(predicted, reference, mask, self.data_range, self.limits)
        x, y = without_offset(x), without_offset(y)
        carried, held = torch.zeros_like(ranges), torch.zeros_like(ranges)
        for scale in range(self.scales):
            window = _window(self.scales, scale)
            taps, radius = window.taps(), window.size // 2
            if scale:
                x, y = (averaged(images, taps, axes, step=2) for images in (x, y))
                mask = every_second(inside(mask, radius, axes), axes)
            got, had = self._information(x, y, taps, axes)
            within = inside(mask, radius, axes)
            carried += masked_sum(got, within)
            held += masked_sum(had, within)
        return where_told(torch.where(held > 0, carried / held, math.nan), ranges)

    def _information(
        self, x: Tensor, y: Tensor, taps: Tensor, axes: tuple[int, ...]
    ) -> tuple[Tensor, Tensor]:
        mean_x, mean_y = averaged(x, taps, axes), averaged(y, taps, axes)
        covariance = averaged(x * y, taps, axes).sub_(mean_x * mean_y)
        var_x = averaged(x * x, taps, axes).sub_(mean_x.square_()).clamp_(min=0)
        var_y = averaged(y * y, taps, axes).sub_(mean_y.square_()).clamp_(min=0)
        flat = (var_x < NO_VARIANCE) | (var_y < NO_VARIANCE)
        gain = (covariance / var_y).masked_fill_(flat, 0).clamp_(min=0)
        distortion = var_x.addcmul_(gain, covariance, value=-1).clamp_(min=0)
        signal = gain.square_().mul_(var_y)
        carried = signal.div_(distortion.add_(self.noise_variance)).log1p_()
        var_y.masked_fill_(var_y < NO_VARIANCE, 0)
        return carried, var_y.div_(self.noise_variance).log1p_()


def _window(scales: int, scale: int) -> GaussianWindow:
    size = 2 ** (scales - scale) + 1
    return GaussianWindow(sigma=size / 5, size=size)
