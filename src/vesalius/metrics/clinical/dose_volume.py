"""What is read off a dose-volume histogram: doses in Gy, volumes in cc and percent."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.clinical.labels import check_one_channel
from vesalius.metrics.inputs import checked


def dose_to_percent(dose_gy: Tensor, percent: float) -> float:
    """D_x%: the dose in Gy that the hottest ``percent`` of the structure get at least.

    ``dose_gy``: the doses of its voxels, ``(n,)``; it is their percentile 100 - ``percent``, with
    linear interpolation. NaN for none.
    """
    if not len(dose_gy):
        return math.nan
    return float(np.percentile(dose_gy.cpu().numpy(), 100 - percent))


def dose_to_volume(dose_gy: Tensor, volume_cc: float, voxel_mm3: float) -> float:
    """D_xcc: the dose in Gy that the hottest ``volume_cc`` of the structure get at least.

    The volume is rounded to whole voxels, one at least; a structure smaller than it gets its least
    dose. NaN for an empty structure.
    """
    if not len(dose_gy):
        return math.nan
    hottest = max(1, round(1000 * volume_cc / voxel_mm3))
    return dose_to_percent(dose_gy, min(100.0, hottest / len(dose_gy) * 100))


def percent_at_dose(dose_gy: Tensor, threshold_gy: float) -> float:
    """V_xGy: the percentage of the structure that gets at least ``threshold_gy``; NaN for none."""
    if not len(dose_gy):
        return math.nan
    return 100 * int((dose_gy >= threshold_gy).sum()) / len(dose_gy)


def mean_dose(dose_gy: Tensor) -> float:
    """Average over the voxels of the structure, in Gy; NaN for none."""
    return float(dose_gy.mean()) if len(dose_gy) else math.nan


def check_percent(name: str, value: float) -> None:
    """Raise InputError unless ``value`` lies between 0 and 100."""
    if not 0 <= value <= 100:
        raise InputError(f"a percentage between 0 and 100 for '{name}'", came=repr(value))


def errors_in_structure(
    predicted_gy: Tensor,
    reference_gy: Tensor,
    structure: Tensor | None,
    value: Callable[[Tensor], float],
) -> Tensor:
    """Predicted minus reference value of each case's doses in the structure, ``(batch,)`` float64.

    Doses ``(batch, 1, *space)`` in Gy; ``structure`` of the same shape, bool, or None for all of
    the image; ``value`` of doses ``(n,)``. NaN where it is NaN, as of an empty structure.
    """
    predicted, reference, inside = checked(predicted_gy, reference_gy, structure)
    check_one_channel(reference)
    if inside is None:
        inside = torch.ones_like(reference, dtype=torch.bool)
    errors = [
        value(one[where]) - value(other[where])
        for one, other, where in zip(predicted, reference, inside, strict=True)
    ]
    return torch.tensor(errors, dtype=torch.float64, device=reference.device)
