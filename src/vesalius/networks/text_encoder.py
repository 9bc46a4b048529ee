"""A transformer that reads a text: features at each of its tokens."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.grid_positions import GridPositions

#: The token after a text's end.
PADDING = 0


def check_text(tokens: Tensor, kinds: int, network: nn.Module) -> None:
    """Raise InputError, naming ``network``, unless tokens (batch, place) are below ``kinds``."""
    name = type(network).__name__
    if tokens.ndim != 2 or tokens.dtype != torch.int64 or not tokens.shape[1]:
        raise InputError(
            "int64 tokens (batch, place)",
            came=f"{tokens.dtype} of shape {tuple(tokens.shape)}",
            case=name,
        )
    lowest, highest = (int(end) for end in tokens.aminmax())
    if lowest < 0 or highest >= kinds:
        raise InputError(
            f"tokens from 0 to {kinds - 1}",
            came=f"some from {lowest} to {highest}",
            case=name,
            remedy="read texts with the vocabulary that it learnt with",
        )


class TextEncoder(nn.Module):
    """All tokens of a text attend to each other; padding is not heeded, and its features are zero.

    So a text has the same features whatever it is padded to, and the direction of their sum stands
    for the whole of it. A text of padding alone has none: nothing was told. Places are told by
    waves, so texts of any length are read.

    Parameters
    ----------
    channels_in:
        Kinds of tokens; zero is padding.
    channels_out:
        Features at every token.
    width:
        Features of a token inside.
    n_layers, heads:
        Blocks, and heads of each.
    dropout:
        Part of what a block adds that is dropped in train mode.

    Reference: Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762; Radford et
    al., Learning transferable visual models from natural language supervision, ICML 2021,
    arXiv:2103.00020.

    >>> encoder = TextEncoder(channels_in=100, channels_out=32, width=16, n_layers=1)
    >>> encoder(torch.tensor([[2, 57, 31, 0, 0]])).shape
    torch.Size([1, 32, 5])
    """

    dims: ClassVar[int] = 1
    condition_channels: ClassVar[int] = 0
    takes_level: ClassVar[bool] = False

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 64,
        width: int = 64,
        n_layers: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        if n_layers < 1 or channels_in < 1:
            raise InputError(
                "at least one layer and one kind of tokens",
                came=f"n_layers {n_layers} and {channels_in} kinds",
                case="TextEncoder",
            )
        super().__init__()
        self.channels_in, self.channels_out = channels_in, channels_out
        self.tokens = nn.Embedding(channels_in, width)
        nn.init.normal_(self.tokens.weight, std=0.5)
        self.places = GridPositions(width, 1)
        self.layers = nn.ModuleList(
            AttentionBlock(width, heads, dropout=dropout) for _ in range(n_layers)
        )
        self.last_norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, channels_out)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Tokens ``(batch, length)``, int64, to features ``(batch, channels_out, length)``.

        Raises InputError for anything else, and for a level or a condition, which it does not take.
        """
        check_text(x, self.channels_in, self)
        if level is not None or condition is not None:
            raise InputError("no level and no condition", came="one", case="TextEncoder")
        said = x != PADDING
        heeded = said.clone()
        heeded[:, 0] = True  # where nothing is said: attention must attend to something
        h = self.tokens(x) + self.places((x.shape[1],))
        for layer in self.layers:
            h = layer(h, heeded=heeded)
        features: Tensor = self.last(self.last_norm(h)) * said[:, :, None]
        return features.transpose(1, 2)
