"""Patches of voxels as channels, and back: exact, and nothing is lost."""

from __future__ import annotations

from torch import Tensor


def space_to_depth(x: Tensor, patch: int) -> Tensor:
    """``(batch, channel, *space)`` to ``(batch, channel * patch**dims, *space / patch)``.

    The space must be a multiple of ``patch``. In 2D this is
    ``torch.nn.functional.pixel_unshuffle``.
    """
    if patch == 1:
        return x
    batch, channels, *space = x.shape
    dims = len(space)
    split = [part for size in space for part in (size // patch, patch)]
    blocks = [2 + 2 * axis for axis in range(dims)]
    within = [3 + 2 * axis for axis in range(dims)]
    x = x.reshape(batch, channels, *split).permute(0, 1, *within, *blocks)
    return x.reshape(batch, channels * patch**dims, *(size // patch for size in space))


def depth_to_space(x: Tensor, patch: int) -> Tensor:
    """Undo :func:`space_to_depth`."""
    if patch == 1:
        return x
    batch, channels, *space = x.shape
    dims = len(space)
    x = x.reshape(batch, channels // patch**dims, *[patch] * dims, *space)
    order = [place for axis in range(dims) for place in (2 + dims + axis, 2 + axis)]
    return x.permute(0, 1, *order).reshape(
        batch, channels // patch**dims, *(size * patch for size in space)
    )
