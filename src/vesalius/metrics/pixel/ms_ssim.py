"""Multi-scale structural similarity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, check_positive, checked, masked_mean
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.data_range import DataRange, case_ranges, check_data_range
from vesalius.metrics.pixel.structural_similarity import (
    check_fits,
    inside,
    prepared,
    similarity_maps,
)
from vesalius.metrics.pixel.window import GaussianWindow, Window

WANG_2003 = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the five scales, finest first."""


@dataclass(frozen=True)
class MSSSIM(CaseMetric):
    """SSIM over several scales: the product of each scale's similarity to its weight.

    Scales halve the image by means of 2 or 2x2x2 blocks, an odd last voxel left out. Contrast and
    structure count at every scale, luminance at the coarsest. A scale whose mean contrast-structure
    is negative counts as zero. A coarse voxel is in the mask if any of its voxels is.

    Parameters
    ----------
    data_range, data_unit, limits, blank_outside:
        As for :class:`~vesalius.metrics.pixel.ssim.SSIM`.
    window:
        ``GaussianWindow()`` as in Wang et al., or ``UniformWindow(7)`` (SynthRAD 2025). With 5
        scales they need 176 and 112 voxels along every axis.
    weights:
        One a scale, finest first.
    """

    name: ClassVar[str] = "ms_ssim"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Wang et al., Asilomar 2003, doi:10.1109/ACSSC.2003.1292216"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    window: Window = field(default=GaussianWindow(), kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    blank_outside: bool = field(default=False, kw_only=True)
    weights: tuple[float, ...] = field(default=WANG_2003, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)
        check_positive("weights", *self.weights)
        if not self.weights:
            raise InputError("a weight for at least one scale", came="none")
        if self.blank_outside and self.limits is None:
            raise InputError("limits, of which the lower is set outside the mask", came="None")

    @property
    def unit(self) -> str:
        """None: an index between 0 and 1."""
        return "1"

    @property
    def smallest_size(self) -> int:
        """Voxels that an image needs along every axis."""
        return int(self.window.size * 2 ** (len(self.weights) - 1))

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty at some scale (its border off).

        Raises InputError for images too small for the scales.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        check_fits(
            reference.shape[2:],
            self.smallest_size,
            f"use fewer scales than {len(self.weights)} or a window below {self.window.size}",
        )
        predicted = prepared(predicted, self.limits, mask, self.blank_outside)
        reference = prepared(reference, self.limits, mask, self.blank_outside)
        ranges = case_ranges(self.data_range, reference, mask)
        axes = tuple(range(2, reference.ndim))
        value = torch.ones_like(ranges)
        for scale, weight in enumerate(self.weights):
            if scale:
                predicted, reference = _halved(predicted), _halved(reference)
                mask = None if mask is None else _mask_halved(mask)
            luminance, similarity = similarity_maps(predicted, reference, ranges, self.window, axes)
            if scale == len(self.weights) - 1:
                similarity = luminance * similarity
            mean = masked_mean(similarity, inside(mask, self.window.size // 2, axes))
            value = value * mean.clamp(min=0) ** weight
        return value


def _halved(images: Tensor) -> Tensor:
    pool = functional.avg_pool2d if images.ndim == 4 else functional.avg_pool3d
    return pool(images, 2)


def _mask_halved(mask: Tensor) -> Tensor:
    pool = functional.max_pool2d if mask.ndim == 4 else functional.max_pool3d
    return pool(mask.to(torch.float32), 2) > 0
