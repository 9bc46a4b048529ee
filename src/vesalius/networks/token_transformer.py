"""A transformer over grids of tokens: what comes next, or what is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock, KeyValues
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import (
    average_over_space,
    check_level,
    check_pooled_condition,
)
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.neighbours import Neighbours, fill
from vesalius.networks.token_check import check_tokens


@dataclass
class TokenCache:
    """What :meth:`TokenTransformer.step` keeps of the tokens before; its own, not the caller's."""

    context: Tensor
    places: Tensor
    layers: list[KeyValues]
    known: Tensor | None = None
    kernel: Tensor | None = None
    position: int = 0


class TokenTransformer(nn.Module):
    """Logits at every place of a grid of tokens, in raster order.

    A causal one sees at every place only the tokens before: position 0 sees a start token alone.
    Another sees all tokens, some of which a mask token may hide. Either is told the level and the
    condition by its start token, and works on a grid of any size.

    Parameters
    ----------
    channels_in:
        Kinds of tokens that may come in: the codes, and one more where a mask token is among them.
    channels_out:
        Logits at every place: the codes.
    dims:
        Axes of the grid.
    condition_channels:
        Channels of a condition ``(batch, condition_channels, *any space)``, averaged over space: a
        class, one-hot, or covariates.
    takes_level:
        Whether it is told one real number a case, as the part that is hidden.
    causal:
        Whether a place sees only the tokens before it.
    neighbours:
        Whether a place is told the tokens next to it by a convolution (those before it, in a causal
        one). Attention takes long to find out what lies above a pixel.
    width:
        Features of a token.
    n_layers, heads:
        Blocks, and heads of each.
    dropout:
        Part of what a block adds that is dropped in train mode.

    Reference: Esser et al., Taming transformers for high-resolution image synthesis, CVPR 2021,
    arXiv:2012.09841; Chang et al., MaskGIT, CVPR 2022, arXiv:2202.04200.

    >>> transformer = TokenTransformer(channels_in=17, channels_out=16, width=32, n_layers=2)
    >>> transformer(torch.full((2, 7, 7), 16)).shape
    torch.Size([2, 16, 7, 7])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        causal: bool = False,
        neighbours: bool = False,
        width: int = 128,
        n_layers: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        if n_layers < 1:
            raise InputError("at least one layer", came=n_layers, case="TokenTransformer")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.causal = causal
        self.tokens = nn.Embedding(channels_in, width)
        self.places = GridPositions(width, dims)
        self.beside = Neighbours(width, dims, causal=causal) if neighbours else None
        self.start = nn.Parameter(torch.randn(width))
        self.embed = LevelEmbedding(width) if takes_level else None
        self.told = nn.Linear(condition_channels, width, bias=False) if condition_channels else None
        self.layers = nn.ModuleList(
            AttentionBlock(width, heads, dropout=dropout) for _ in range(n_layers)
        )
        self.last_norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, channels_out)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Tokens to logits.

        Parameters
        ----------
        x:
            ``(batch, *grid)``, int64, from 0 to channels_in - 1.
        level:
            (batch,); exactly where the network takes a level.
        condition:
            ``(batch, condition_channels, *any space)``; exactly where it takes a condition.

        Returns
        -------
        ``(batch, channels_out, *grid)``

        Raises
        ------
        InputError
            For anything that does not fit the constructor's arguments.
        """
        check_tokens(self, x)
        start = self._context(x.shape[0], level, condition)[:, None]
        grid = tuple(x.shape[1:])
        places, tokens = self.places(grid), self.tokens(x.flatten(1))
        if self.beside is not None:
            beside = self.beside(tokens.transpose(1, 2).unflatten(2, grid))
            places = places + beside.flatten(2).transpose(1, 2)
        if self.causal:
            # a slot knows the place that it speaks of and the token just before that
            h = torch.cat([start, tokens[:, :-1]], 1) + places
        else:
            h = torch.cat([start, tokens + places], 1)
        for layer in self.layers:
            h = layer(h, causal=self.causal)
        logits: Tensor = self.last(self.last_norm(h if self.causal else h[:, 1:]))
        return logits.transpose(1, 2).reshape(x.shape[0], -1, *grid)

    def begin(
        self,
        batch: int,
        grid: tuple[int, ...],
        level: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> TokenCache:
        """Begin to draw ``batch`` grids of tokens, one place after the other; causal only.

        >>> causal = TokenTransformer(channels_in=4, channels_out=4, causal=True, width=32)
        >>> cache = causal.begin(1, (2, 2))
        >>> token = None
        >>> for _ in range(4):
        ...     token = causal.step(cache, token).argmax(1)
        """
        if not self.causal:
            raise InputError(
                "a causal transformer", came="one that sees all places", case="TokenTransformer"
            )
        if len(grid) != self.dims:
            raise InputError(f"a grid of {self.dims} axes", came=grid, case="TokenTransformer")
        with torch.no_grad():
            context = self._context(batch, level, condition)
            places = self.places(grid)
            layers = [layer.begin(batch, len(places)) for layer in self._blocks()]
            if self.beside is None:
                return TokenCache(context, places, layers)
            known, kernel = self.beside.blank(batch, grid), self.beside.kernel()
            return TokenCache(context, places, layers, known, kernel)

    @torch.no_grad()
    def step(self, cache: TokenCache, token: Tensor | None = None) -> Tensor:
        """Logits (batch, channels_out) of the next place; ``cache`` moves on by one.

        ``token`` (batch,) is what was drawn at the place before; None at the first. The logits are
        those that :meth:`forward` gives there, without gradient, at the cost of one place.
        """
        if (token is None) != (cache.position == 0) or cache.position == len(cache.places):
            raise InputError(
                f"no token at the first of {len(cache.places)} places and one at every other",
                came=f"{'none' if token is None else 'one'} at place {cache.position}",
                case="TokenTransformer",
            )
        h = cache.context if token is None else self.tokens(token)
        told = cache.places[cache.position]
        if self.beside is not None:
            assert cache.known is not None
            assert cache.kernel is not None
            if token is not None:
                fill(cache.known, cache.position - 1, h)
            told = told + self.beside.at(cache.known, cache.position, cache.kernel)
        h = (h + told)[:, None]
        for layer, known in zip(self._blocks(), cache.layers, strict=True):
            h = layer.step(h, known)
        cache.position += 1
        logits: Tensor = self.last(self.last_norm(h[:, 0]))
        return logits

    def _blocks(self) -> list[AttentionBlock]:
        return [layer for layer in self.layers if isinstance(layer, AttentionBlock)]

    def _context(self, batch: int, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """The start token: (batch, width)."""
        check_level(self, batch, level)
        check_pooled_condition(self, batch, condition)
        context = self.start.expand(batch, -1)
        if self.embed is not None:
            context = context + self.embed(level)
        if self.told is not None:
            assert condition is not None
            context = context + self.told(average_over_space(condition))
        return context
