"""A small classifier: for downstream studies, for features, and to guide a sampler."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import check_input, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.padding import pad
from vesalius.networks.residual_block import ResidualBlock, group_norm


class SmallClassifier(nn.Module):
    """Residual blocks, halved after each, averaged over space, and one linear layer.

    An image of any size is judged; it is mirrored at its borders to a multiple of
    ``2**(levels - 1)``.

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
        Whether it is told how noisy the image is, as a classifier that guides a sampler must be.
    width:
        Channels at full resolution; they double downwards.
    levels:
        Number of resolutions.
    dropout:
        Part of the averaged features dropped before the linear layer in train mode.

    Reference: He et al., Identity mappings in deep residual networks, ECCV 2016, arXiv:1603.05027.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 16,
        levels: int = 4,
        dropout: float = 0.0,
    ) -> None:
        if levels < 1:
            raise InputError("at least one level", came=levels, case="SmallClassifier")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.multiple = 2 ** (levels - 1)
        conv = convolution(dims)
        widths = [width * 2**place for place in range(levels)]
        level_features = 4 * width if takes_level else 0
        self.embed = LevelEmbedding(level_features) if takes_level else None
        self.stem = conv(channels_in + condition_channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, dims, level_features=level_features) for channels in widths
        )
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in pairwise(widths))
        self.last_norm = group_norm(widths[-1])
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], channels_out)

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Average the features over space: ``(batch, width * 2**(levels - 1))``.

        Arguments and errors are those of :meth:`forward`.
        """
        check_input(self, x, level, condition)
        embedding = None if self.embed is None else self.embed(level)
        h = self.stem(pad(join(x, condition), self.multiple))
        for place, block in enumerate(self.blocks):
            h = block(h if place == 0 else self.shrink[place - 1](h), embedding)
        return functional.silu(self.last_norm(h)).flatten(2).mean(dim=2)

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
        logits: Tensor = self.head(self.dropout(self.features(x, level, condition)))
        return logits
