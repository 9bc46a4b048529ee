"""The vision transformer: an image as a row of patches, judged by one token more."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import check_input, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.padding import pad
from vesalius.networks.space_to_depth import space_to_depth


class VisionTransformer(nn.Module):
    """Patches and a class token attend to each other; the class token is what is judged by.

    An image of any size is judged; it is mirrored at its borders to a multiple of ``patch``. Places
    are sines and cosines, so that no size is learnt.

    Parameters
    ----------
    channels_in:
        Channels of the image.
    channels_out:
        Number of classes, or of numbers that are predicted.
    dims:
        Axes of space.
    condition_channels:
        Channels of a further image of the same size; concatenated.
    takes_level:
        Whether it is told how noisy the image is, in a token of its own.
    patch:
        Voxels a side of a patch.
    width, n_layers, heads:
        Features of a token, blocks, and heads of each.
    dropout:
        Part of what every block adds that is dropped in train mode.

    Reference: Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021, arXiv:2010.11929.
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
        width: int = 96,
        n_layers: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        if patch < 1 or n_layers < 1:
            raise InputError(
                "patches of at least one voxel and at least one layer",
                came=f"patch {patch} and n_layers {n_layers}",
                case="VisionTransformer",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.patch = patch
        self.stem = nn.Linear((channels_in + condition_channels) * patch**dims, width)
        self.places = GridPositions(width, dims)
        self.embed = LevelEmbedding(width) if takes_level else None
        self.class_token = nn.Parameter(0.02 * torch.randn(width))
        self.blocks = nn.ModuleList(
            AttentionBlock(width, heads, dropout=dropout) for _ in range(n_layers)
        )
        self.last_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, channels_out)

    def encode(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """The class token, then the patches in raster order: (batch, 1 + patches, width).

        Arguments and errors are those of :meth:`forward`.
        """
        check_input(self, x, level, condition)
        patches = space_to_depth(pad(join(x, condition), self.patch), self.patch)
        tokens = self.stem(patches.flatten(2).transpose(1, 2))
        tokens = tokens + self.places(tuple(patches.shape[2:]))
        first = [self.class_token.expand(len(x), 1, -1)]
        last = [] if self.embed is None else [self.embed(level)[:, None]]
        h = torch.cat([*first, tokens, *last], 1)
        for block in self.blocks:
            h = block(h)
        encoded: Tensor = self.last_norm(h)
        return encoded[:, : 1 + tokens.shape[1]]

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """The class token alone: (batch, width). Arguments and errors are :meth:`forward`'s."""
        return self.encode(x, level, condition)[:, 0]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to logits (batch, channels_out).

        Parameters
        ----------
        x:
            ``(batch, channels_in, *space)``.
        level:
            (batch,); exactly where the network takes a level.
        condition:
            ``(batch, condition_channels, *space)``; exactly where the network takes a condition.

        Raises
        ------
        InputError
            For anything that does not fit the constructor's arguments.
        """
        logits: Tensor = self.head(self.features(x, level, condition))
        return logits
