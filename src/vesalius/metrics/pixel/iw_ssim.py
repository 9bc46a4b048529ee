"""Information-weighted structural similarity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, check_positive, checked, masked_mean, masked_sum
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.data_range import DataRange, check_data_range
from vesalius.metrics.pixel.grey_levels import GREY_LEVELS, in_grey_levels, where_told
from vesalius.metrics.pixel.information_content import information_content
from vesalius.metrics.pixel.laplacian_pyramid import enlarged, laplacian_pyramid
from vesalius.metrics.pixel.ms_ssim import WANG_2003
from vesalius.metrics.pixel.structural_similarity import (
    check_fits,
    every_second,
    inside,
    similarity_maps,
)
from vesalius.metrics.pixel.window import GaussianWindow, Window, window_axes


@dataclass(frozen=True)
class IWSSIM(CaseMetric):
    """MS-SSIM on a Laplacian pyramid, averaged by how much information each place holds.

    Contrast and structure count in every band, luminance in what remains at the coarsest scale,
    whose average is plain. Information is that on the reference's 3x3 neighbourhoods (3x3x3 with
    three axes) and, but for the two coarsest scales, the coarser band at the same place. The mask
    restricts the averages; neighbourhoods are those of the whole image. A coarse voxel is in the
    mask if the voxel at its place is. A scale whose mean is negative counts as zero, where the
    authors take its absolute value.

    Parameters
    ----------
    data_range, data_unit, limits:
        As for :class:`~vesalius.metrics.pixel.vif.VIF`.
    window:
        ``GaussianWindow()``, as the authors have it. With 5 scales it needs 161 voxels along every
        axis of the window.
    weights:
        One a scale, finest first; divided by their sum.
    slice_axis:
        None: windows and pyramid span every axis of space, which generalises a measure published
        for images. 0, 1 or 2: a volume is a stack of slices along this axis.
    """

    name: ClassVar[str] = "iw_ssim"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Wang & Li, IEEE TIP 20:1185, 2011, doi:10.1109/TIP.2010.2092435"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    window: Window = field(default=GaussianWindow(), kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    weights: tuple[float, ...] = field(default=WANG_2003, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)
        check_positive("weights", *self.weights)
        if not self.weights:
            raise InputError("a weight for at least one scale", came="none")

    @property
    def unit(self) -> str:
        """None: an index between 0 and 1."""
        return "1"

    @property
    def smallest_size(self) -> int:
        """Voxels that an image needs along every axis of the window."""
        return int((self.window.size - 1) * 2 ** (len(self.weights) - 1) + 1)

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or without information at some scale.

        Raises InputError for images too small for the scales.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        x, y, ranges = in_grey_levels(predicted, reference, mask, self.data_range, self.limits)
        axes = window_axes(y.ndim, self.slice_axis)
        if self.slice_axis is not None and y.ndim == 5:
            # slices one by one, each with neighbourhoods of its own
            x, y = (images.movedim(2 + self.slice_axis, 2).flatten(1, 2) for images in (x, y))
            mask = None if mask is None else mask.movedim(2 + self.slice_axis, 2).flatten(1, 2)
            axes = (2, 3)
        check_fits(
            [y.shape[axis] for axis in axes],
            self.smallest_size,
            f"use fewer scales than {len(self.weights)}, a window below {self.window.size}"
            " or slice_axis",
        )
        scales, radius = len(self.weights), self.window.size // 2
        bands_x, bands_y = (laplacian_pyramid(images, scales, axes) for images in (x, y))
        full = torch.full_like(ranges, GREY_LEVELS)
        value = torch.ones_like(ranges)
        for scale, (x, y, weight) in enumerate(zip(bands_x, bands_y, self.weights, strict=True)):
            luminance, similarity = similarity_maps(x, y, full, self.window, axes)
            within = inside(mask, radius, axes)
            if scale == scales - 1:
                mean = masked_mean(luminance.mul_(similarity), within)
            else:
                parent = bands_y[scale + 1] if scale < scales - 2 else None
                if parent is not None:
                    parent = enlarged(parent, tuple(y.shape[axis] for axis in axes), axes)
                bits = inside(information_content(x, y, parent, axes), radius - 1, axes)
                assert bits is not None
                mean = masked_sum(similarity.mul_(bits), within) / masked_sum(bits, within)
            value = value * mean.clamp(min=0) ** (weight / sum(self.weights))
            mask = every_second(mask, axes)
        return where_told(value, ranges)
