"""A vision transformer for diffusion in which all is a token, with skips as long as a U-Net's."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import (
    check_image,
    check_level,
    check_pooled_condition,
    convolution,
)
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.padding import crop, pad
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth


class UViT(nn.Module):
    """The level, every place of the condition, and every patch of the image are tokens.

    Each block of the first half is joined, token by token, to its mirror in the second half, and a
    convolution smooths the borders of patches. A condition is a vector a case, a text's features at
    its tokens, or an image: whatever has places. An image of any size is mirrored at its borders to
    a multiple of ``patch`` and cropped back. An untrained network returns zero.

    Parameters
    ----------
    channels_in, channels_out, dims, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    condition_channels:
        Channels of a condition ``(batch, condition_channels)`` or
        ``(batch, condition_channels, *any space)``.
    patch:
        Voxels a side of a patch.
    width:
        Features of a token.
    n_layers, heads:
        Blocks, and heads of each. Of an odd number the middle one has no mirror.
    dropout:
        Part of what a block adds that is dropped in train mode.

    Reference: Bao et al., All are worth words: a ViT backbone for diffusion models, CVPR 2023,
    arXiv:2209.12152.

    >>> net = UViT(channels_in=1, channels_out=1, condition_channels=8, width=16, n_layers=3)
    >>> net(torch.zeros(2, 1, 30, 45), condition=torch.ones(2, 8, 12)).shape
    torch.Size([2, 1, 30, 45])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        patch: int = 4,
        width: int = 128,
        n_layers: int = 5,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        if patch < 1 or n_layers < 1:
            raise InputError(
                "patches of at least one voxel and at least one layer",
                came=f"patch {patch} and n_layers {n_layers}",
                case="UViT",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.patch = patch
        self.stem = nn.Linear(channels_in * patch**dims, width)
        self.places = GridPositions(width, dims)
        self.embed = LevelEmbedding(width) if takes_level else None
        self.told = nn.Linear(condition_channels, width) if condition_channels else None
        self.told_places = GridPositions(width, 1) if condition_channels else None
        half, odd = divmod(n_layers, 2)

        def blocks(n: int) -> nn.ModuleList:
            return nn.ModuleList(AttentionBlock(width, heads, dropout=dropout) for _ in range(n))

        self.shallow, self.middle, self.deep = blocks(half), blocks(odd), blocks(half)
        self.joins = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(half))
        self.last_norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, channels_out * patch**dims)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.smooth = convolution(dims)(channels_out, channels_out, 3, padding=1)
        # begins as the identity, so that it is the patches that are learnt first
        nn.init.dirac_(self.smooth.weight)
        assert self.smooth.bias is not None
        nn.init.zeros_(self.smooth.bias)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Image to image.

        Parameters
        ----------
        x:
            ``(batch, channels_in, *space)``.
        level:
            (batch,), any real numbers; exactly where the network takes a level.
        condition:
            ``(batch, condition_channels)`` or ``(batch, condition_channels, *any space)``; exactly
            where the network takes a condition.

        Returns
        -------
        ``(batch, channels_out, *space)``

        Raises
        ------
        InputError
            For anything that does not fit the constructor's arguments.
        """
        check_image(self, x)
        check_level(self, x.shape[0], level)
        check_pooled_condition(self, x.shape[0], condition)
        patches = space_to_depth(pad(x, self.patch), self.patch)
        grid = tuple(patches.shape[2:])
        tokens = [self.stem(patches.flatten(2).transpose(1, 2)) + self.places(grid)]
        if self.told is not None and self.told_places is not None:
            assert condition is not None
            words = condition.flatten(2) if condition.ndim > 2 else condition[:, :, None]
            tokens.append(self.told(words.transpose(1, 2)) + self.told_places((words.shape[2],)))
        if self.embed is not None:
            tokens.append(self.embed(level)[:, None])
        h = torch.cat(tokens, dim=1)
        skips = []
        for block in self.shallow:
            h = block(h)
            skips.append(h)
        for block in self.middle:
            h = block(h)
        for block, join in zip(self.deep, self.joins, strict=True):
            h = block(join(torch.cat([h, skips.pop()], dim=2)))
        drawn = self.last(self.last_norm(h[:, : grid_size(grid)])).transpose(1, 2)
        image = depth_to_space(drawn.reshape(x.shape[0], -1, *grid), self.patch)
        return crop(self.smooth(image), tuple(x.shape[2:]))


def grid_size(grid: tuple[int, ...]) -> int:
    """Places of a grid."""
    return torch.Size(grid).numel()
