"""Regions of a label map."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import checked, masked_count


def regions(
    predicted: Tensor, reference: Tensor, mask: Tensor | None, label: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Where the label is, and which cases can be judged.

    Parameters
    ----------
    predicted, reference:
        Label maps ``(batch, 1, *space)`` of whole numbers, 2D or 3D.
    mask:
        ``(batch, 1, *space)`` bool or None; labels outside it are ignored.

    Returns
    -------
    tuple
        Two bool tensors ``(batch, 1, *space)`` and one ``(batch,)``: False for an empty mask.
    """
    predicted, reference, mask = checked(predicted, reference, mask)
    check_one_channel(reference)
    for labels, name in ((predicted, "predicted"), (reference, "reference")):
        if not bool((labels == labels.round()).all()):
            raise InputError(
                f"a label map of whole numbers in '{name}'",
                came="fractions",
                remedy="threshold probabilities or take their argmax first",
            )
    judged = masked_count(reference, mask) > 0
    found_predicted, found_reference = predicted == label, reference == label
    if mask is not None:
        found_predicted, found_reference = found_predicted & mask, found_reference & mask
    return found_predicted, found_reference, judged


def check_one_channel(images: Tensor) -> None:
    """Raise InputError unless ``images`` is ``(batch, 1, *space)``."""
    if images.shape[1] != 1:
        raise InputError(
            "one channel", came=f"{images.shape[1]}", remedy="judge the channels one by one"
        )


def voxels(region: Tensor) -> Tensor:
    """Count the voxels of a region, ``(batch, 1, *space)`` to ``(batch,)`` float64."""
    return region.flatten(1).sum(dim=1, dtype=torch.float64)


def dice_of(predicted: Tensor, reference: Tensor) -> Tensor:
    """2 |A ∩ B| / (|A| + |B|) of bool regions, ``(batch,)``; NaN where both are empty."""
    return 2 * voxels(predicted & reference) / (voxels(predicted) + voxels(reference))


def where_judged(value: Tensor, judged: Tensor) -> Tensor:
    """``value`` with NaN in the cases that cannot be judged."""
    return torch.where(judged, value, math.nan)
