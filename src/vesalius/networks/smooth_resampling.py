"""Twice or half the resolution without aliases: the filter (1, 3, 3, 1) along every axis."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def _filtered(x: Tensor, around: int, stride: int) -> Tensor:
    """Every channel filtered by itself, zeros put around, every ``stride``-th place kept.

    Two axes at once and the third by itself: convolutions of single channels in 3D are many times
    slower on a CPU than those in 2D (measured), and sums of shifted views are, too.
    """
    line = x.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8
    batch, channels, *space = x.shape
    if len(space) == 3:
        column = line.view(1, 1, 4, 1).expand(channels, 1, 4, 1)
        x = functional.conv2d(
            x.reshape(batch, channels, space[0], -1),
            column,
            padding=(around, 0),
            stride=(stride, 1),
            groups=channels,
        )
        x = x.reshape(batch, -1, *space[1:])
    n_maps = x.shape[1]
    square = torch.outer(line, line).expand(n_maps, 1, 4, 4)
    x = functional.conv2d(x, square, padding=around, stride=stride, groups=n_maps)
    return x.reshape(batch, channels, *[-1] * (len(space) - 2), *x.shape[2:])


def smoothed(x: Tensor, around: int) -> Tensor:
    """``x`` (batch, channel, *space) filtered with (1, 3, 3, 1) / 8 along every axis.

    ``around`` zeros are put at either end of every axis, which becomes ``2 around - 3`` longer.
    """
    return _filtered(x, around, 1)


def halved(x: Tensor) -> Tensor:
    """``x`` (batch, channel, *space of even sizes) with half the voxels along every axis.

    Filtered with (1, 3, 3, 1) / 8, every second place; the adjoint of :func:`doubled` but for a
    factor of two an axis.
    """
    return _filtered(x, 1, 2)


def doubled(x: Tensor) -> Tensor:
    """``x`` (batch, channel, *space) with twice the voxels along every axis.

    Zeros between voxels, filtered with (1, 3, 3, 1) / 4: linear interpolation, between zeros where
    the image ends.
    """
    for axis in range(2, x.ndim):
        around = functional.pad(x, [0] * (2 * (x.ndim - axis - 1)) + [1, 1])
        size = x.shape[axis]
        before, after = around.narrow(axis, 0, size), around.narrow(axis, 2, size)
        both = torch.stack([3 * x + before, 3 * x + after], dim=axis + 1) / 4
        x = both.flatten(axis, axis + 1)
    return x
