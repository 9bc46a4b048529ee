"""A generator that draws an image into a semantic mask (SPADE)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, convolution
from vesalius.networks.residual_block import group_norm
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth


class Spade(nn.Module):
    """Normalisation whose scale and shift at every voxel are read from a mask.

    Normalised by groups of channels and not by batch: batches are small, and a case must not depend
    on its neighbours. The mask is brought to the features' size by nearest neighbours.
    """

    def __init__(self, channels: int, mask_channels: int, hidden: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        conv = convolution(dims)
        self.n_groups = group_norm(channels).num_groups
        self.shared = conv(mask_channels, hidden, 3, padding=1)
        self.scale_shift = conv(hidden, 2 * channels, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(batch, channels, *space)`` and ``(batch, mask_channels, *any space)`` to x's shape."""
        mask = functional.interpolate(mask, size=x.shape[2:], mode="nearest")
        scale, shift = self.scale_shift(functional.relu(self.shared(mask))).chunk(2, dim=1)
        normalised = functional.group_norm(x, self.n_groups)
        return torch.addcmul(shift, normalised, 1 + scale)


class _SpadeBlock(nn.Module):
    """Two SPADE, leaky ReLU, convolution; and a way around that a SPADE and a 1-wide one adapt."""

    def __init__(
        self, before: int, after: int, mask_channels: int, hidden: int, dims: Literal[2, 3]
    ) -> None:
        super().__init__()
        conv = convolution(dims)
        between = min(before, after)
        self.first_norm = Spade(before, mask_channels, hidden, dims)
        self.first = conv(before, between, 3, padding=1)
        self.second_norm = Spade(between, mask_channels, hidden, dims)
        self.second = conv(between, after, 3, padding=1)
        self.around = None
        if before != after:
            self.around_norm = Spade(before, mask_channels, hidden, dims)
            self.around = conv(before, after, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        h = self.first(functional.leaky_relu(self.first_norm(x, mask), 0.2))
        h = self.second(functional.leaky_relu(self.second_norm(h, mask), 0.2))
        way: Tensor = x if self.around is None else self.around(self.around_norm(x, mask))
        drawn: Tensor = way + h
        return drawn


class SpadeGenerator(ImageNetwork):
    """Draws an image from coarse to fine, told at every resolution what tissue lies where.

    Where ``condition_channels`` is zero, ``x`` is the mask (one channel a class, 0 or 1): the image
    is a function of it. Where it is not, the condition is the mask and ``x`` is the noise (or
    another image, say of the style) from which the coarsest features are made; every voxel of it is
    used, at the coarsest resolution as channels, so that independent noise stays so.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    width:
        Channels at full resolution; they double downwards up to eight times that.
    levels:
        How often the coarsest features are doubled; the image is padded to a multiple of
        ``2**levels``: 3 leaves a hippocampus of 40 x 56 x 40 as it is.
    hidden:
        Channels between the mask and the scales and shifts read from it (128 in the paper).
    patch:
        Voxels a side that the last convolution gives back at once, and that the mask brings as
        channels: with 2, a volume costs an eighth (an image a quarter) of what it does with 1.
    bounded:
        Whether a hyperbolic tangent keeps what comes out within (-1, 1), as in the paper.

    Reference: Park et al., Semantic image synthesis with spatially-adaptive normalization, CVPR
    2019, arXiv:1903.07291.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 16,
        levels: int = 3,
        hidden: int = 32,
        patch: Literal[1, 2, 4] = 1,
        bounded: bool = True,
    ) -> None:
        if levels < 1:
            raise InputError("at least one level", came=levels, case="SpadeGenerator")
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            multiple=patch * 2**levels,
        )
        self.bounded, self.patch = bounded, patch
        block = patch**dims
        mask_channels = (condition_channels or channels_in) * block
        conv = convolution(dims)
        widths = [width * min(2**level, 8) for level in range(levels, -1, -1)]
        self.start = conv(channels_in * block, widths[0], 2**levels, stride=2**levels)
        self.coarsest = _SpadeBlock(widths[0], widths[0], mask_channels, hidden, dims)
        self.finer = nn.ModuleList(
            _SpadeBlock(before, after, mask_channels, hidden, dims)
            for before, after in pairwise(widths)
        )
        self.last = conv(widths[-1], channels_out * block, 3, padding=1)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        x = space_to_depth(x, self.patch)
        mask = x if condition is None else space_to_depth(condition, self.patch)
        h = self.coarsest(self.start(x), mask)
        for block in self.finer:
            h = block(functional.interpolate(h, scale_factor=2.0, mode="nearest"), mask)
        y = depth_to_space(self.last(functional.leaky_relu(h, 0.2)), self.patch)
        return torch.tanh(y) if self.bounded else y
