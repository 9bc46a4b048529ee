"""Feature similarity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.block_means import block_any, block_means
from vesalius.metrics.pixel.data_range import DataRange, check_data_range
from vesalius.metrics.pixel.gradient_magnitude import SCHARR, gradient_magnitude
from vesalius.metrics.pixel.grey_levels import in_grey_levels, where_told
from vesalius.metrics.pixel.offset import without_offset
from vesalius.metrics.pixel.phase_congruency import phase_congruency
from vesalius.metrics.pixel.structural_similarity import check_fits

CONGRUENCY_STABILITY, GRADIENT_STABILITY = 0.85, 160.0  # Zhang et al. 2011, section III, T1 and T2
VIEWING_SIZE = 256  # voxels along the shorter side to which the authors bring an image
SMALLEST_SIZE = 12


@dataclass(frozen=True)
class FSIM(CaseMetric):
    """Similarity of phase congruency and gradient, weighted by the larger phase congruency.

    Volumes are judged slice by slice, and the weighted sums run over all slices of the mask: the
    filters' orientations, the noise correction and every constant were fitted to flat images, and
    no 3D form is agreed upon. Slices are first averaged in blocks of round(shorter side / 256), as
    the authors do. Phase congruency is that of the whole slice; the mask restricts the sums.
    Channels are taken as grey images. Blind to a level.

    Parameters
    ----------
    data_range, data_unit, limits:
        As for :class:`~vesalius.metrics.pixel.vif.VIF`.
    slice_axis:
        Axis of space along which the slices of a volume lie; images have no use for it.
    border:
        What lies around a slice for its gradient: "zero", as the authors have it, or "mirror".
    """

    name: ClassVar[str] = "fsim"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Zhang et al., IEEE TIP 20:2378, 2011, doi:10.1109/TIP.2011.2109730"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    slice_axis: Literal[0, 1, 2] = field(default=0, kw_only=True)
    border: Literal["zero", "mirror"] = field(default="zero", kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)

    @property
    def unit(self) -> str:
        """None: an index of at most 1."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or neither image has a feature in it.

        Raises InputError for slices with fewer than 12 voxels along an axis.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        x, y, ranges = in_grey_levels(predicted, reference, mask, self.data_range, self.limits)
        x, y = self._slices(x), self._slices(y)
        check_fits(x.shape[2:], SMALLEST_SIZE, "choose another slice_axis")
        factor = max(1, math.floor(min(x.shape[2:]) / VIEWING_SIZE + 0.5))
        if factor > 1:
            x, y = (block_means(images, (factor, factor)) for images in (x, y))
        slopes_x, slopes_y = (
            gradient_magnitude(images, SCHARR, (2, 3), self.border) for images in (x, y)
        )
        phases_x, phases_y = (
            phase_congruency(without_offset(images)[:, 0])[:, None] for images in (x, y)
        )
        similarity = _similarity(slopes_x, slopes_y, GRADIENT_STABILITY)
        similarity.mul_(_similarity(phases_x, phases_y, CONGRUENCY_STABILITY))
        weights = torch.maximum(phases_x, phases_y)
        if mask is not None:
            weights = weights.masked_fill_(~block_any(self._slices(mask), (factor, factor)), 0)
        total, weight = (
            values.flatten(1)
            .sum(1)
            .view(len(reference), len(values) // max(1, len(reference)))
            .sum(1)
            for values in (similarity.mul_(weights), weights)
        )
        return where_told(torch.where(weight > 0, total / weight, math.nan), ranges)

    def _slices(self, images: Tensor) -> Tensor:
        """``(batch, channel, *space)`` to ``(batch * channel * slice, 1, row, column)``."""
        if images.ndim == 5:
            images = images.movedim(2 + self.slice_axis, 2)
        return images.reshape(-1, 1, *images.shape[-2:])


def _similarity(a: Tensor, b: Tensor, stability: float) -> Tensor:
    return (a * b).mul_(2).add_(stability).div_((a * a).add_(b * b).add_(stability))
