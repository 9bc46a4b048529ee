"""Conservation and correction of a pseudo-healthy image."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_limits
from vesalius.metrics.pixel.data_range import check_data_range
from vesalius.metrics.pixel.lesion_metric import LesionMetric, healthy_and_lesion
from vesalius.metrics.pixel.ssim import SSIM
from vesalius.metrics.pixel.window import UniformWindow, Window


@dataclass(frozen=True)
class CACI(LesionMetric):
    """Harmonic mean of SSIM in healthy tissue and 1 - SSIM in the lesion.

    1 where healthy tissue is kept and the lesion has nothing left of itself; 0 where either fails,
    so for an image against itself. That the lesion changed does not say that what came is right.
    SSIM is averaged over each mask from one map, so windows reach over the lesion's edge;
    a negative one counts as zero.

    Parameters
    ----------
    data_range:
        A number in the unit of the images.
    data_unit, window, limits, slice_axis, border:
        As for :class:`~vesalius.metrics.pixel.ssim.SSIM`.
    """

    name: ClassVar[str] = "caci"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = (
        "Bercea et al., Nat Commun 16:1624, 2025, doi:10.1038/s41467-025-56321-y"
    )

    data_range: float
    data_unit: str = field(default="1", kw_only=True)
    window: Window = field(default=UniformWindow(), kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    slice_axis: Literal[0, 1, 2] | None = field(default=None, kw_only=True)
    border: Literal["exclude", "mirror"] = field(default="mirror", kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_data_range(self.data_range)
        check_limits(self.limits)

    @property
    def unit(self) -> str:
        """None: an index between 0 and 1."""
        return "1"

    def statistic(
        self, restored: Tensor, diseased: Tensor, lesion: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """``(batch,)`` float64; NaN where there is no lesion, or nothing else, in the mask."""
        similarity = SSIM(
            self.data_range,
            window=self.window,
            limits=self.limits,
            slice_axis=self.slice_axis,
            border=self.border,
        )
        kept, left = (
            similarity.statistic(restored, diseased, where).clamp(min=0)
            for where in healthy_and_lesion(diseased, lesion, mask)
        )
        corrected = 1 - left
        total = kept + corrected
        mean = torch.where(total > 0, 2 * kept * corrected / total, 0.0)
        return torch.where(kept.isnan() | corrected.isnan(), math.nan, mean)
