"""Images on the scale of 0 to 255, for which the constants of several metrics were chosen."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.metrics.pixel.data_range import DataRange, case_ranges
from vesalius.metrics.pixel.structural_similarity import prepared

GREY_LEVELS = 255.0


def in_grey_levels(
    predicted: Tensor,
    reference: Tensor,
    mask: Tensor | None,
    data_range: DataRange,
    limits: tuple[float, float] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Both images clipped to ``limits``, counted from the lower one, and scaled; and the ranges.

    The data range of a case becomes 255. Where it is NaN the case stays as it is; see
    :func:`where_told`.
    """
    predicted, reference = (prepared(x, limits, None, False) for x in (predicted, reference))
    ranges = case_ranges(data_range, reference, mask)
    scale = torch.where(ranges.isnan(), 1.0, GREY_LEVELS / ranges)
    scale = scale.view((-1,) + (1,) * (reference.ndim - 1))
    return predicted * scale, reference * scale, ranges


def where_told(values: Tensor, ranges: Tensor) -> Tensor:
    """``values`` of the cases that have a range, NaN for the others."""
    return torch.where(ranges.isnan(), math.nan, values)
