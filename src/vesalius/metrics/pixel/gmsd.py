"""Gradient magnitude similarity deviation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, masked_mean
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.block_means import block_any, block_means
from vesalius.metrics.pixel.data_range import DataRange, check_data_range
from vesalius.metrics.pixel.gradient_magnitude import PREWITT, Border, gradient_magnitude
from vesalius.metrics.pixel.grey_levels import in_grey_levels, where_told
from vesalius.metrics.pixel.structural_similarity import check_fits, inside
from vesalius.metrics.pixel.window import window_axes

STABILITY = 170.0  # Xue et al. 2014, section II-B, for grey levels


@dataclass(frozen=True)
class GMSD(CaseMetric):
    """Standard deviation over the mask of how similar the gradient magnitudes are.

    0 for an image against itself; blind to damage that is the same everywhere. Gradients are
    Prewitt's, on means of 2x2 blocks (2x2x2 with three axes; an odd last voxel is left out). A
    block is in the mask if any of its voxels is.

    Parameters
    ----------
    data_range, data_unit, limits:
        As for :class:`~vesalius.metrics.pixel.vif.VIF`.
    slice_axis:
        None: gradients along every axis of space. 0, 1 or 2: within the slices along it, and one
        deviation over all of them.
    border:
        What lies around the image: "zero", as the authors have it, "mirror", or "exclude" to leave
        the outermost blocks out.
    """

    name: ClassVar[str] = "gmsd"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Xue et al., IEEE TIP 23:684, 2014, doi:10.1109/TIP.2013.2293423"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)
    border: Border = field(default="zero", kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)

    @property
    def unit(self) -> str:
        """None: a deviation of an index."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty (its border off) or there is no range.

        Raises InputError for images with fewer than 6 voxels along an axis.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        axes = window_axes(reference.ndim, self.slice_axis)
        check_fits([reference.shape[axis] for axis in axes], 6, "use slice_axis")
        x, y, ranges = in_grey_levels(predicted, reference, mask, self.data_range, self.limits)
        blocks = tuple(2 if axis in axes else 1 for axis in range(2, reference.ndim))
        x, y = (
            gradient_magnitude(block_means(images, blocks), PREWITT, axes, self.border)
            for images in (x, y)
        )
        mask = None if mask is None else block_any(mask, blocks)
        if self.border == "exclude":
            mask = inside(mask, 1, axes)
        similarity = (2 * x * y + STABILITY) / (x.square() + y.square() + STABILITY)
        mean = masked_mean(similarity, mask).view((-1,) + (1,) * (similarity.ndim - 1))
        return where_told(masked_mean((similarity - mean).square_(), mask).sqrt(), ranges)
