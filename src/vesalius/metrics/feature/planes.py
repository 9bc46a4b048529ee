"""A volume as networks of 2D images see it: some slices across each of its three axes."""

from __future__ import annotations

import torch
from torch import Tensor


def planes(images: Tensor, slices: int) -> list[Tensor]:
    """``(batch, slice, height, width)`` of each plane: one of an image, three of a volume.

    ``images``: ``(batch, 1, *space)``. Slices are evenly spaced; one slice is the central one.
    """
    if images.ndim == 4:
        return [images]
    found = []
    for axis in (2, 3, 4):
        length = images.shape[axis]
        chosen = [int((number + 0.5) / slices * length) for number in range(slices)]
        across = images.index_select(axis, torch.tensor(chosen, device=images.device))
        found.append(across.movedim(axis, 1).squeeze(2))
    return found
