"""An encoder from an image to a grid of features, or to a single vector."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import check_input, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.padding import pad, padded_size
from vesalius.networks.residual_block import group_norm
from vesalius.networks.residual_stage import ResidualStage
from vesalius.networks.self_attention import SelfAttention
from vesalius.networks.space_to_depth import space_to_depth


class Encoder(nn.Module):
    """The way down of the U-Net alone: residual blocks, halved after each resolution but the last.

    An image of any size is mirrored at its borders to a multiple of ``reduction``. With six
    multipliers an image of 28 x 28 becomes a grid of one place: a vector.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the image, and features at every place of the grid.
    dims:
        Axes of space.
    condition_channels:
        Channels of a further image of the same size; concatenated.
    takes_level:
        Whether the features of every block are scaled and shifted by one real number a case.
    width:
        Channels at the highest resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``; one more than there are halvings.
    n_blocks:
        Residual blocks at every resolution.
    patch:
        Voxels a side that the first convolution takes as channels: with 2, a 128 x 128 image costs
        as much as a 64 x 64 one with 1.
    attention:
        Whether all places of the lowest resolution attend to each other.
    dropout:
        Part of the features that every block drops in train mode.

    Attributes
    ----------
    reduction: int
        Voxels along an axis that become one place of the grid.

    Reference: Rombach et al., High-resolution image synthesis with latent diffusion models, CVPR
    2022, arXiv:2112.10752 (its autoencoder, made smaller).

    >>> import torch
    >>> encoder = Encoder(channels_in=1, channels_out=4, width=8)
    >>> encoder(torch.zeros(2, 1, 30, 45)).shape, encoder.grid((30, 45))
    (torch.Size([2, 4, 8, 12]), (8, 12))
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        n_blocks: int = 1,
        patch: Literal[1, 2, 4] = 1,
        attention: bool = False,
        dropout: float = 0.0,
    ) -> None:
        if not multipliers or n_blocks < 1:
            raise InputError(
                "at least one resolution and one block",
                came=f"multipliers {multipliers} and n_blocks {n_blocks}",
                case="Encoder",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.patch, self.reduction = patch, patch * 2 ** (len(multipliers) - 1)
        widths = [width * multiplier for multiplier in multipliers]
        features = 4 * width if takes_level else 0
        conv = convolution(dims)
        self.embed = LevelEmbedding(features) if takes_level else None
        self.stem = conv((channels_in + condition_channels) * patch**dims, widths[0], 3, padding=1)
        self.stages = nn.ModuleList(
            ResidualStage(channels, dims, n_blocks, level_features=features, dropout=dropout)
            for channels in widths
        )
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in pairwise(widths))
        self.attention = SelfAttention(widths[-1]) if attention else None
        self.last_norm = group_norm(widths[-1])
        self.last = conv(widths[-1], channels_out, 3, padding=1)

    def grid(self, space: tuple[int, ...]) -> tuple[int, ...]:
        """Places along every axis of the grid that an image of size ``space`` becomes."""
        return tuple(padded_size(size, self.reduction) // self.reduction for size in space)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to ``(batch, channels_out, *grid(space))``.

        ``level`` (batch,) and ``condition`` ``(batch, condition_channels, *space)`` are given
        exactly where they are taken; anything that does not fit raises InputError.
        """
        check_input(self, x, level, condition)
        embedding = None if self.embed is None else self.embed(level)
        h = self.stem(space_to_depth(pad(join(x, condition), self.reduction), self.patch))
        for place, stage in enumerate(self.stages):
            h = stage(h if place == 0 else self.shrink[place - 1](h), embedding)
        if self.attention is not None:
            h = self.attention(h)
        code: Tensor = self.last(functional.silu(self.last_norm(h)))
        return code
