"""Smaller images: a mean, or a mask, of each block of voxels."""

from __future__ import annotations

from torch import Tensor


def _blocks(images: Tensor, blocks: tuple[int, ...]) -> Tensor:
    shape: list[int] = []
    for axis, block in enumerate(blocks, start=2):
        count = images.shape[axis] // block
        images = images.narrow(axis, 0, count * block)
        shape += [count, block]
    return images.reshape(*images.shape[:2], *shape)


def _inner(blocks: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(3 + 2 * number for number in range(len(blocks)))


def block_means(images: Tensor, blocks: tuple[int, ...]) -> Tensor:
    """Mean of each block of ``(batch, channel, *space)``; what fills no block is left out."""
    return _blocks(images, blocks).mean(_inner(blocks))


def block_any(mask: Tensor, blocks: tuple[int, ...]) -> Tensor:
    """Whether any voxel of each block is in the mask."""
    return _blocks(mask, blocks).amax(_inner(blocks))
