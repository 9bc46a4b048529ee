"""A network that sees an image and says by how much each voxel was moved."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.residual_block import group_norm
from vesalius.networks.space_to_depth import space_to_depth


class _AtrousBlock(nn.Module):
    """Normalise, activate, convolve at rates 1 and 3 side by side, mix both, add.

    A level embedding scales and shifts what was normalised.
    """

    def __init__(self, channels: int, dims: Literal[2, 3], level_features: int) -> None:
        super().__init__()
        conv = convolution(dims)
        self.norm = group_norm(channels)
        self.film = nn.Linear(level_features, 2 * channels) if level_features else None
        self.near = conv(channels, channels, 3, padding=1)
        self.far = conv(channels, channels, 3, padding=3, dilation=3)
        self.mix = conv(2 * channels, channels, 1)

    def forward(self, x: Tensor, embedding: Tensor | None) -> Tensor:
        h = self.norm(x)
        if self.film is not None:
            assert embedding is not None
            scale_shift = self.film(embedding)
            scale, shift = scale_shift.reshape(*scale_shift.shape, *[1] * (x.ndim - 2)).chunk(2, 1)
            h = torch.addcmul(shift, h, 1 + scale)
        h = functional.silu(h)
        h = functional.silu(torch.cat([self.near(h), self.far(h)], 1))
        changed: Tensor = x + self.mix(h)
        return changed


class DeformationNetwork(ImageNetwork):
    """Residual atrous convolutions, recursively: each pass sees the image and the field so far.

    A pass adds its correction to the displacement of the pass before it, with the same weights. It
    works on patches of voxels, and the displacement is interpolated linearly from there, so that it
    is smooth at that scale. It starts at zero, so that an untrained network moves nothing.

    Parameters
    ----------
    channels_in, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    channels_out:
        ``dims``: a displacement along every axis of space, in the order of the axes.
    width:
        Channels.
    n_blocks:
        Blocks of every pass, each with convolutions at rates 1 and 3.
    n_recursions:
        Passes.
    patch:
        Voxels a side for which one displacement is found.

    Reference: Zheng et al., Deformation-recovery diffusion model (DRDM), Medical Image Analysis
    2026, doi:10.1016/j.media.2026.103987, arXiv:2407.07295. Its network, made smaller.
    """

    #: Channels out are one an axis of space.
    per_axis: ClassVar[bool] = True

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 32,
        n_blocks: int = 4,
        n_recursions: int = 2,
        patch: Literal[1, 2, 4] = 2,
    ) -> None:
        if channels_out != dims:
            raise InputError(
                f"{dims} channels out, one an axis of space",
                came=channels_out,
                case="DeformationNetwork",
            )
        if n_blocks < 1 or n_recursions < 1:
            raise InputError(
                "at least one block and one recursion",
                came=f"{n_blocks} and {n_recursions}",
                case="DeformationNetwork",
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=patch,
        )
        self.patch, self.n_recursions = patch, n_recursions
        conv = convolution(dims)
        features = 4 * width if takes_level else 0
        self.embed = LevelEmbedding(features) if takes_level else None
        seen = (channels_in + condition_channels) * patch**dims
        self.stem = conv(seen + dims, width, 3, padding=1)
        self.blocks = nn.ModuleList(_AtrousBlock(width, dims, features) for _ in range(n_blocks))
        self.last_norm = group_norm(width)
        self.last = conv(width, dims, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        embedding = None if self.embed is None else self.embed(level)
        seen = space_to_depth(join(x, condition), self.patch)
        field = seen.new_zeros(seen.shape[0], self.dims, *seen.shape[2:])
        for _ in range(self.n_recursions):
            h = self.stem(torch.cat([seen, field], 1))
            for block in self.blocks:
                h = block(h, embedding)
            field = field + self.last(functional.silu(self.last_norm(h)))
        if self.patch == 1:
            return field
        mode = "bilinear" if self.dims == 2 else "trilinear"
        return functional.interpolate(field, scale_factor=float(self.patch), mode=mode)
