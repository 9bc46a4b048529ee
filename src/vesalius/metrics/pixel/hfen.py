"""High-frequency error norm."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, check_positive, checked, clipped, masked_sum
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.offset import without_offset
from vesalius.metrics.pixel.window import averaged, mirrored, window_axes


@dataclass(frozen=True)
class HFEN(CaseMetric):
    """|LoG(predicted - reference)| / |LoG(reference)| over the mask and the channels.

    LoG is the Laplacian of a Gaussian, cut to a box and made free of a mean. Edges and fine
    structure count, a level does not. Ravishankar and Bresler give the numerator alone; divided by
    the reference's norm, as is usual since, it has no unit. The image is mirrored at its border.

    Parameters
    ----------
    sigma_voxels, size:
        Of the filter: 1.5 voxels in a box of 15.
    data_unit:
        Unit of the images, for the report.
    limits:
        (low, high) to which both images are clipped first; None leaves them as they are.
    slice_axis:
        None: the filter spans every axis of space. 0, 1 or 2: it lies in the slices along it.
    """

    name: ClassVar[str] = "hfen"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = (
        "Ravishankar & Bresler, IEEE TMI 30:1028, 2011, doi:10.1109/TMI.2010.2090538"
    )

    sigma_voxels: float = field(default=1.5, kw_only=True)
    size: int = field(default=15, kw_only=True)
    data_unit: str = field(default="1", kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("sigma_voxels", self.sigma_voxels)
        check_limits(self.limits)
        if self.size < 3 or self.size % 2 == 0:
            raise InputError("an odd filter size of at least 3", came=repr(self.size))

    @property
    def unit(self) -> str:
        """None: a ratio."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or the reference has no structure."""
        predicted, reference, mask = checked(predicted, reference, mask)
        axes = window_axes(reference.ndim, self.slice_axis)
        x, y = clipped(predicted, self.limits), clipped(reference, self.limits)
        error = masked_sum(self._filtered(x - y, axes).square_(), mask)
        energy = masked_sum(self._filtered(y, axes).square_(), mask)
        return torch.where(energy > 0, (error / energy).sqrt(), math.nan)

    def _filtered(self, images: Tensor, axes: tuple[int, ...]) -> Tensor:
        # sum over the axes of g'' along one and g along the others, less its mean over the box
        radius = self.size // 2
        voxels = torch.arange(-radius, radius + 1, dtype=torch.float64)
        gaussian = torch.exp(-voxels.square() / (2 * self.sigma_voxels**2))
        gaussian = gaussian / gaussian.sum()
        second = (voxels.square() - self.sigma_voxels**2) / self.sigma_voxels**4 * gaussian
        box = torch.full_like(voxels, 1 / self.size)
        images = mirrored(without_offset(images), radius, axes)
        total = averaged(images, box, axes).mul_(-len(axes) * float(second.sum()))
        for axis in axes:
            curved = averaged(images, second, (axis,))
            total += averaged(curved, gaussian, tuple(other for other in axes if other != axis))
        return total
