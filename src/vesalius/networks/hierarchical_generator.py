"""HA-GAN's hierarchical generator: a trunk from a vector, and heads that need not see all of it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import (
    average_over_space,
    check_input,
    check_level,
    check_pooled_condition,
    convolution,
)
from vesalius.networks.residual_block import group_norm
from vesalius.networks.space_to_depth import depth_to_space


class HierarchicalTrunk(nn.Module):
    """From one vector a case to the features of a whole volume, at a coarse resolution.

    A linear layer makes the first grid; then, at every resolution, convolve, normalise by group
    and rectify, and double by repeating places.

    Parameters
    ----------
    channels_in:
        Values of the vector.
    channels_out:
        Features at every place of the last grid.
    dims:
        Axes of space.
    condition_channels:
        Channels of a condition ``(batch, condition_channels, *any space)``, averaged over space and
        appended to the vector.
    width:
        Channels at the last resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``, the last first; one more than there
        are doublings.
    first_grid:
        Places along every axis of the first grid; one number serves all axes.

    Attributes
    ----------
    grid: tuple[int, ...]
        Places along every axis of the features.

    Reference: Sun et al., Hierarchical amortized GAN for 3D high resolution medical image
    synthesis, IEEE JBHI 2022, doi:10.1109/JBHI.2022.3172976, arXiv:2008.01910 (its G^A).

    >>> trunk = HierarchicalTrunk(channels_in=8, channels_out=4, width=8, multipliers=(1, 2))
    >>> trunk(torch.zeros(2, 8, 1, 1, 1)).shape
    torch.Size([2, 4, 8, 8, 8])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 3,
        condition_channels: int = 0,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        first_grid: tuple[int, ...] = (4,),
    ) -> None:
        if not multipliers or len(first_grid) not in (1, dims) or min(first_grid) < 1:
            raise InputError(
                f"at least one resolution, and a first grid of one size or {dims}",
                came=f"multipliers {multipliers} and first_grid {first_grid}",
                case="HierarchicalTrunk",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.first_grid = first_grid * dims if len(first_grid) == 1 else first_grid
        doubled = 2 ** (len(multipliers) - 1)
        self.grid = tuple(places * doubled for places in self.first_grid)
        widths = [width * multiplier for multiplier in reversed(multipliers)]
        conv = convolution(dims)
        self.first = nn.Linear(
            channels_in + condition_channels, widths[0] * math.prod(self.first_grid)
        )
        self.convolutions = nn.ModuleList(
            conv(before, after, 3, padding=1) for before, after in pairwise([widths[0], *widths])
        )
        self.norms = nn.ModuleList(group_norm(channels) for channels in widths)
        self.last = conv(widths[-1], channels_out, 3, padding=1)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *ones)`` to ``(batch, channels_out, *grid)``.

        ``condition`` is given exactly where one is taken. Raises InputError for a level, and for
        anything else that does not fit.
        """
        expected = (x.shape[0], self.channels_in, *[1] * self.dims)
        if tuple(x.shape) != expected:
            raise InputError(
                f"codes of one place, shape {expected}",
                came=f"shape {tuple(x.shape)}",
                case="HierarchicalTrunk",
            )
        check_level(self, x.shape[0], level)
        check_pooled_condition(self, x.shape[0], condition)
        vector = x.flatten(1)
        if condition is not None:
            vector = torch.cat([vector, average_over_space(condition)], 1)
        h = self.first(vector).reshape(x.shape[0], -1, *self.first_grid)
        for place, (convolve, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            if place:
                h = functional.interpolate(h, scale_factor=2.0, mode="nearest")
            h = functional.relu(norm(convolve(h)))
        features: Tensor = self.last(h)
        return features


class _Doubling(nn.Module):
    """Repeat every voxel along every axis, then convolve three voxels a side: in one convolution.

    Among repeated voxels a kernel of three sees two, of which one counts twice. So the smaller
    image is convolved with one kernel for each of the voxels that a voxel becomes, all made of the
    same weights, and what is repeated is never there.
    """

    taps: Tensor

    def __init__(self, before: int, after: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        self.dims = dims
        self.mix = convolution(dims)(before, after, 3, padding=1)
        # by voxel of two, tap in the small image, weight: the first sees [left, itself, itself]
        first = torch.tensor([[1.0, 0, 0], [0, 1, 1], [0, 0, 0]])
        self.register_buffer("taps", torch.stack([first, first.flip(0, 1)]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, before, *grid)`` to ``(batch, after, *(2 * grid))``."""
        kernel = self.mix.weight.unsqueeze(2)  # (after, before, voxels so far, *weights)
        for axis in range(3, 3 + self.dims):
            every = torch.tensordot(kernel, self.taps.to(kernel.dtype), dims=([axis], [2]))
            # the new tap takes the weight's place, the new voxel joins those so far
            every = every.movedim(-1, axis).movedim(-1, 3)
            kernel = every.flatten(2, 3)
        kernel = kernel.transpose(1, 2).flatten(0, 1)
        bias = self.mix.bias
        assert bias is not None
        convolve = functional.conv2d if self.dims == 2 else functional.conv3d
        mixed = convolve(x, kernel, bias.repeat_interleave(2**self.dims), padding=1)
        return depth_to_space(mixed, 2)


class HierarchicalHead(nn.Module):
    """Features to an image, each voxel from the features around it alone.

    Nothing is averaged over space: features are normalised at every voxel over their channels. So
    a part of the features gives the part of the image that the whole would have given there, but
    for the voxels of the :attr:`margin` places next to where the features were cut.

    Parameters
    ----------
    channels_in, channels_out:
        Features at every place, and channels of the image.
    dims:
        Axes of space.
    width:
        Channels between.
    doublings:
        How often resolution is doubled, by repeating voxels and convolving; with 0 the image lies
        on the grid of the features.
    depth:
        Convolutions of three voxels a side for every doubling, which is in the last of them.
    bounded:
        Whether a hyperbolic tangent keeps what comes out within (-1, 1).

    Attributes
    ----------
    reduction: int
        Voxels along an axis that one place becomes.
    margin: int
        Places around a part of the features that its image depends on.

    Reference: Sun et al. 2022, arXiv:2008.01910 (its G^H and G^L); normalisation after Karras et
    al., ICLR 2018, arXiv:1710.10196, in place of its group normalisation, whose statistics are of
    the whole slab.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 3,
        width: int = 16,
        doublings: int = 2,
        depth: int = 1,
        bounded: bool = False,
    ) -> None:
        if doublings < 0 or depth < 1:
            raise InputError(
                "doublings of 0 or more and a depth of at least one convolution",
                came=f"{doublings} and {depth}",
                case="HierarchicalHead",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = 0, False
        self.bounded = bounded
        self.reduction = 2**doublings
        number = max(1, doublings) * depth
        widths = [channels_in, *[width] * (number - 1), channels_out]
        self.convolutions = nn.ModuleList()
        reach = 0  # voxels at the resolution reached so far
        for place, (before, after) in enumerate(pairwise(widths), start=1):
            doubles = doublings > 0 and place % depth == 0
            reach = (2 if doubles else 1) * reach + 1
            self.convolutions.append(
                _Doubling(before, after, dims)
                if doubles
                else convolution(dims)(before, after, 3, padding=1)
            )
        self.margin = -(-reach // self.reduction)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *grid)`` to ``(batch, channels_out, *(grid * reduction))``.

        Raises InputError for a level or a condition, and for features that do not fit.
        """
        check_input(self, x, level, condition)
        h = x
        for convolve in self.convolutions:
            h = functional.leaky_relu(h, 0.2)
            h = convolve(h * (h.square().mean(1, keepdim=True) + 1e-8).rsqrt())
        return torch.tanh(h) if self.bounded else h
