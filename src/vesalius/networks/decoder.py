"""A decoder from a grid of features, or a single vector, to an image."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import check_input, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.residual_block import group_norm
from vesalius.networks.residual_stage import ResidualStage
from vesalius.networks.self_attention import SelfAttention
from vesalius.networks.space_to_depth import depth_to_space


class Decoder(nn.Module):
    """Residual blocks, doubled after each resolution but the last; also a generator of a GAN.

    Resolution is doubled by repeating voxels and convolving them, which leaves no checkerboard
    (Odena et al., Deconvolution and checkerboard artifacts, Distill 2016,
    doi:10.23915/distill.00003). From a grid of one place, the zeros around every convolution tell
    voxels where they are. The last convolution does not start at zero: a critic needs something to
    judge.

    Parameters
    ----------
    channels_in, channels_out:
        Features at every place of the grid, and channels of the image.
    dims:
        Axes of space.
    condition_channels:
        Features of a condition on the same grid; concatenated.
    takes_level:
        Whether the features of every block are scaled and shifted by one real number a case.
    width:
        Channels at the highest resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``, the highest first, as those of the
        :class:`~vesalius.networks.encoder.Encoder` that it undoes.
    n_blocks:
        Residual blocks at every resolution.
    patch:
        Voxels a side that the last convolution gives back as channels, as the Encoder's.
    attention:
        Whether all places of the grid attend to each other.
    dropout:
        Part of the features that every block drops in train mode.
    bounded:
        Whether a hyperbolic tangent keeps what comes out within (-1, 1).

    Attributes
    ----------
    reduction: int
        Voxels along an axis that one place of the grid becomes.

    >>> decoder = Decoder(channels_in=4, channels_out=1, width=8)
    >>> decoder(torch.zeros(2, 4, 8, 12)).shape
    torch.Size([2, 1, 32, 48])
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
        bounded: bool = False,
    ) -> None:
        if not multipliers or n_blocks < 1:
            raise InputError(
                "at least one resolution and one block",
                came=f"multipliers {multipliers} and n_blocks {n_blocks}",
                case="Decoder",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.patch, self.reduction = patch, patch * 2 ** (len(multipliers) - 1)
        self.bounded = bounded
        widths = [width * multiplier for multiplier in reversed(multipliers)]
        features = 4 * width if takes_level else 0
        conv = convolution(dims)
        self.embed = LevelEmbedding(features) if takes_level else None
        self.stem = conv(channels_in + condition_channels, widths[0], 3, padding=1)
        self.attention = SelfAttention(widths[0]) if attention else None
        self.stages = nn.ModuleList(
            ResidualStage(channels, dims, n_blocks, level_features=features, dropout=dropout)
            for channels in widths
        )
        self.grow = nn.ModuleList(conv(low, high, 3, padding=1) for low, high in pairwise(widths))
        self.last_norm = group_norm(widths[-1])
        self.last = conv(widths[-1], channels_out * patch**dims, 3, padding=1)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *grid)`` to ``(batch, channels_out, *(grid * reduction))``.

        ``level`` (batch,) and ``condition`` ``(batch, condition_channels, *grid)`` are given
        exactly where they are taken; anything that does not fit raises InputError. The caller
        crops the image to the size that was encoded.
        """
        check_input(self, x, level, condition)
        embedding = None if self.embed is None else self.embed(level)
        h = self.stem(join(x, condition))
        if self.attention is not None:
            h = self.attention(h)
        for place, stage in enumerate(self.stages):
            if place:
                h = functional.interpolate(h, scale_factor=2.0, mode="nearest")
                h = self.grow[place - 1](h)
            h = stage(h, embedding)
        image = depth_to_space(self.last(functional.silu(self.last_norm(h))), self.patch)
        return torch.tanh(image) if self.bounded else image
