"""Padding to a size that a network can halve, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def padded_size(size: int, multiple: int, minimum: int = 1) -> int:
    """Find the least multiple of ``multiple`` that holds both ``size`` and ``minimum``.

    >>> padded_size(35, 8), padded_size(40, 8), padded_size(3, 8, minimum=16)
    (40, 40, 16)
    """
    return -(-max(size, minimum) // multiple) * multiple


def reflected_index(size: int, before: int, after: int) -> list[int]:
    """Positions that mirror an axis at its first and last voxel, as often as needed.

    >>> reflected_index(3, 2, 3)
    [2, 1, 0, 1, 2, 1, 0, 1]
    """
    if size == 1:
        return [0] * (before + 1 + after)
    period = 2 * (size - 1)
    places = ((place % period) for place in range(-before, size + after))
    return [place if place < size else period - place for place in places]


def pad(x: Tensor, multiple: int, minimum: int | tuple[int, ...] = 1) -> Tensor:
    """Mirror ``x`` ``(batch, channel, *space)`` at its borders up to :func:`padded_size`.

    Any size of at least one voxel works, also one smaller than the padding. The voxels added are
    shared by both ends of an axis, the odd one at the far end. Nothing is copied where nothing is
    missing. ``minimum`` may differ from axis to axis.
    """
    least = (minimum,) * (x.ndim - 2) if isinstance(minimum, int) else minimum
    for axis in range(2, x.ndim):
        size = x.shape[axis]
        missing = padded_size(size, multiple, least[axis - 2]) - size
        if missing:
            places = reflected_index(size, missing // 2, missing - missing // 2)
            x = x.index_select(axis, torch.tensor(places, device=x.device))
    return x


def crop(x: Tensor, space: tuple[int, ...]) -> Tensor:
    """Take the part of ``x`` that :func:`pad` was given: ``space`` voxels from the middle."""
    for axis, size in enumerate(space, start=2):
        missing = x.shape[axis] - size
        if missing:
            x = x.narrow(axis, missing // 2, size)
    return x
