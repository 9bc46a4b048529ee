"""Structural similarity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits, checked, masked_mean
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.data_range import DataRange, case_ranges, check_data_range
from vesalius.metrics.pixel.structural_similarity import (
    check_fits,
    inside,
    prepared,
    similarity_maps,
)
from vesalius.metrics.pixel.window import UniformWindow, Window, mirrored, window_axes


@dataclass(frozen=True)
class SSIM(CaseMetric):
    """Mean structural similarity over the mask and the channels.

    The map is made from the whole image and averaged over the mask, so what lies outside within
    half a window counts a little. Equals scikit-image's ``structural_similarity`` in its settings.

    Parameters
    ----------
    data_range:
        A number in the unit of the images, or "reference_maximum": each case's largest reference
        value in the mask (fastMRI).
    data_unit:
        Unit of the images, for the report.
    window:
        ``UniformWindow(7)``, scikit-image's default, or ``GaussianWindow()`` as in Wang et al.
    limits:
        (low, high) to which both images are clipped first, then counted from low, because SSIM
        needs a zero that means nothing is there. None leaves them as they are, negative or not.
    blank_outside:
        Whether both images are set to the lower limit outside the mask first (SynthRAD). Needs
        ``limits``.
    slice_axis:
        None: the window spans every axis of space. 0, 1 or 2: a volume is compared slice by slice
        along this axis of space, with the data range of the whole volume (fastMRI).
    border:
        "exclude": only voxels whose window lies in the image count (scikit-image's mean).
        "mirror": the image is mirrored at its border and every voxel counts (scikit-image's full
        map).

    Examples
    --------
    >>> import torch
    >>> ramp = torch.arange(64.0).view(1, 1, 8, 8)
    >>> SSIM(63.0).statistic(ramp, ramp).item()
    1.0
    """

    name: ClassVar[str] = "ssim"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Wang et al., IEEE TIP 13:600, 2004, doi:10.1109/TIP.2003.819861"

    data_range: DataRange
    data_unit: str = field(default="1", kw_only=True)
    window: Window = field(default=UniformWindow(), kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    blank_outside: bool = field(default=False, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)
    border: Literal["exclude", "mirror"] = field(default="exclude", kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)
        if self.blank_outside and self.limits is None:
            raise InputError("limits, of which the lower is set outside the mask", came="None")

    @property
    def unit(self) -> str:
        """None: an index of at most 1."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty (its border off) or there is no range.

        Raises InputError for images smaller than the window.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        predicted = prepared(predicted, self.limits, mask, self.blank_outside)
        reference = prepared(reference, self.limits, mask, self.blank_outside)
        ranges = case_ranges(self.data_range, reference, mask)
        axes = window_axes(reference.ndim, self.slice_axis)
        radius = self.window.size // 2
        if self.border == "mirror":
            predicted, reference = (mirrored(x, radius, axes) for x in (predicted, reference))
        else:
            space = [reference.shape[axis] for axis in axes]
            check_fits(space, self.window.size, "use a smaller window or border='mirror'")
            mask = inside(mask, radius, axes)
        luminance, contrast_structure = similarity_maps(
            predicted, reference, ranges, self.window, axes
        )
        return masked_mean(luminance * contrast_structure, mask)
