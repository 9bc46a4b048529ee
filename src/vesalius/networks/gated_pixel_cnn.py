"""Gated causal convolutions over grids of tokens, without a blind spot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import (
    average_over_space,
    check_level,
    check_pooled_condition,
    convolution,
)
from vesalius.networks.token_check import check_tokens


@dataclass
class PixelCache:
    """What :meth:`GatedPixelCnn.step` keeps of the places before; its own, not the caller's.

    By stack and layer: ``inputs``, whole grids, and ``links``, what the slice that a stack did last
    tells the next stack.
    """

    grid: tuple[int, ...]
    told: Tensor | None
    inputs: list[list[Tensor]]
    links: list[list[Tensor]]
    position: int = 0


class _Stack(nn.Module):
    """One layer's convolution over places before, that differ first along one axis.

    Along ``axis`` it reaches back ``reach`` places, its own among them or not; along later axes as
    far both ways, along earlier ones not at all. What it does not see is not in its kernel, so
    nothing is masked.
    """

    def __init__(
        self, width: int, dims: Literal[2, 3], axis: int, reach: int, *, own: bool, told: int
    ) -> None:
        super().__init__()
        self.axis, self.own, self.reach = axis, int(own), reach
        later = dims - axis - 1
        kernel = (*[1] * axis, reach + self.own, *[2 * reach + 1] * later)
        self.around = [reach] * 2 * later  # torch counts axes from the last
        self.mix = convolution(dims)(width, 2 * width, kernel)  # type: ignore[arg-type]
        self.told = nn.Linear(told, 2 * width, bias=False) if told else None
        # to the next stack; the last one has none
        self.link = convolution(dims)(2 * width, 2 * width, 1) if later else None

    def whole(self, x: Tensor) -> Tensor:
        """The convolution, ``(batch, width, *grid)`` to ``(batch, 2 * width, *grid)``."""
        padded = functional.pad(x, [*self.around, self.reach, self.own - 1])
        mixed: Tensor = self.mix(padded)
        return mixed

    def at(self, x: Tensor, place: list[int]) -> Tensor:
        """:meth:`whole` of one slice: at ``place`` along axes up to its own, all of later ones."""
        for axis in range(self.axis):
            x = x.narrow(2 + axis, place[axis], 1)
        index = place[self.axis]
        first, last = max(0, index - self.reach), index + self.own
        x = x.narrow(2 + self.axis, first, last - first)
        missing = self.reach + self.own - (last - first)
        x = functional.pad(x, [*self.around, missing, 0])
        if not self.around:  # one place: the kernel is as large as what it sees
            weight, bias = self.mix.weight.flatten(1), self.mix.bias
            return functional.linear(x.flatten(1), weight, bias).reshape(
                len(x), -1, *[1] * (x.ndim - 2)
            )
        mixed: Tensor = self.mix(x)
        return mixed

    def joined(self, mixed: Tensor, told: Tensor | None, linked: Tensor | None) -> Tensor:
        """What goes into the gate: with the condition, and what the stack before found."""
        if self.told is not None:
            added: Tensor = self.told(told)
            mixed = mixed + added.reshape(*added.shape, *[1] * (mixed.ndim - 2))
        return mixed if linked is None else mixed + linked


def _gate(mixed: Tensor) -> Tensor:
    value, share = mixed.chunk(2, dim=1)
    return value.tanh() * share.sigmoid()


class GatedPixelCnn(nn.Module):
    """Logits at every place of a grid of tokens, each from the tokens before it in raster order.

    A place lies before another where its index is smaller along the first axis in which they
    differ. So there is a stack of convolutions for every axis: of the rows above (in 3D of the
    planes before, then of the rows above), then of the places to the left, each told what the one
    before it found. There is no blind spot: with every layer a place sees ``reach`` more rows above
    and ``reach`` more places to either side of them. How far it sees is bounded by that; where it
    lies, it knows by the zeros around the grid alone, which may be of any size.

    Parameters
    ----------
    channels_in, channels_out:
        Kinds of tokens that come in, and logits at every place.
    dims:
        Axes of the grid.
    condition_channels:
        Channels of a condition ``(batch, condition_channels, *any space)``, averaged over space and
        added before every gate.
    width:
        Features of every stack.
    n_layers:
        Layers of gated convolutions.
    reach:
        Places that a convolution sees on a side.
    dropout:
        Part of the last stack's gated features that every layer drops in train mode.

    Reference: van den Oord et al., Conditional image generation with PixelCNN decoders, NeurIPS
    2016, arXiv:1606.05328.

    >>> network = GatedPixelCnn(channels_in=16, channels_out=16, width=8, n_layers=2)
    >>> network(torch.zeros((2, 7, 7), dtype=torch.int64)).shape
    torch.Size([2, 16, 7, 7])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        n_layers: int = 8,
        reach: int = 1,
        dropout: float = 0.0,
    ) -> None:
        if n_layers < 1 or reach < 1:
            raise InputError(
                "at least one layer and a reach of at least one place",
                came=f"{n_layers} and {reach}",
                case="GatedPixelCnn",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.n_layers = n_layers
        conv = convolution(dims)
        self.tokens = nn.Embedding(channels_in, width)
        # the first layer leaves out the place itself, whose token it must not know
        self.stacks = nn.ModuleList(
            nn.ModuleList(
                _Stack(width, dims, axis, reach, own=layer > 0, told=condition_channels)
                for layer in range(n_layers)
            )
            for axis in range(dims)
        )
        self.skips = nn.ModuleList(conv(width, width, 1) for _ in range(n_layers))
        self.outs = nn.ModuleList(conv(width, width, 1) for _ in range(n_layers - 1))
        self.dropout = nn.Dropout(dropout)
        self.last = conv(width, channels_out, 1)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Tokens ``(batch, *grid)``, int64, to logits ``(batch, channels_out, *grid)``.

        ``condition`` is given exactly where one is taken. Raises InputError for a level, for tokens
        out of range and for anything else that does not fit.
        """
        check_tokens(self, x)
        told = self._told(x.shape[0], level, condition)
        embedded = self.tokens(x).movedim(-1, 1)
        links: list[Tensor | None] = [None] * self.n_layers
        for axis in range(self.dims):
            h, skipped = embedded, embedded.new_zeros(())
            for layer, part in enumerate(self._parts(axis)):
                mixed = part.joined(part.whole(h), told, links[layer])
                if part.link is None:
                    h, skipped = self._along(layer, h, _gate(mixed), skipped)
                else:
                    h, links[layer] = _gate(mixed), part.link(mixed)
        logits: Tensor = self.last(functional.relu(skipped))
        return logits

    def begin(
        self,
        batch: int,
        grid: tuple[int, ...],
        level: Tensor | None = None,
        condition: Tensor | None = None,
    ) -> PixelCache:
        """Begin to draw ``batch`` grids of tokens, one place after the other.

        >>> network = GatedPixelCnn(channels_in=4, channels_out=4, width=8, n_layers=2)
        >>> cache, token = network.begin(1, (2, 2)), None
        >>> for _ in range(4):
        ...     token = network.step(cache, token).argmax(1)
        """
        if len(grid) != self.dims:
            raise InputError(f"a grid of {self.dims} axes", came=grid, case="GatedPixelCnn")
        with torch.no_grad():
            told = self._told(batch, level, condition)
        weight = self.tokens.weight
        blank = weight.new_zeros(batch, weight.shape[1], *grid)
        inputs = [
            [blank, *(torch.zeros_like(blank) for _ in range(self.n_layers - 1))]
            for _ in range(self.dims)
        ]  # of the first layer all stacks see the same: the tokens
        return PixelCache(grid, told, inputs, [[] for _ in range(self.dims)])

    @torch.no_grad()
    def step(self, cache: PixelCache, token: Tensor | None = None) -> Tensor:
        """Logits (batch, channels_out) of the next place; ``cache`` moves on by one.

        ``token`` (batch,) is what was drawn at the place before; None at the first. The logits are
        those that :meth:`forward` gives there in eval mode, without gradient: the stack of an axis
        works once a slice, the last one at every place.
        """
        n_places = math.prod(cache.grid)
        if (token is None) != (cache.position == 0) or cache.position == n_places:
            raise InputError(
                f"no token at the first of {n_places} places and one at every other",
                came=f"{'none' if token is None else 'one'} at place {cache.position}",
                case="GatedPixelCnn",
            )
        if token is not None:
            before = self._place(cache, cache.position - 1)
            _slice(cache.inputs[0][0], before).copy_(
                self.tokens(token).reshape(len(token), -1, *[1] * self.dims)
            )
        place = self._place(cache, cache.position)
        cache.position += 1
        for axis in range(self.dims):
            if any(place[axis + 1 :]):
                continue  # the slice is done already
            skipped = self._step_stack(cache, axis, place)
        logits: Tensor = self.last(functional.relu(skipped))
        return logits.flatten(1)

    def _step_stack(self, cache: PixelCache, axis: int, place: list[int]) -> Tensor:
        """One slice of one stack through all layers; the sum of the last stack's skips."""
        inputs, here = cache.inputs[axis], place[: axis + 1]
        links: list[Tensor] = []
        skipped = inputs[0].new_zeros(())
        for layer, part in enumerate(self._parts(axis)):
            linked = None
            if axis:
                linked = cache.links[axis - 1][layer].narrow(2 + axis, place[axis], 1)
            mixed = part.joined(part.at(inputs[layer], place), cache.told, linked)
            gated = _gate(mixed)
            if part.link is None:
                known = _slice(inputs[layer], here)
                gated, skipped = self._along(layer, known, gated, skipped)
            else:
                links.append(part.link(mixed))
            if layer + 1 < self.n_layers:
                _slice(inputs[layer + 1], here).copy_(gated)
        cache.links[axis] = links
        return skipped

    def _along(
        self, layer: int, h: Tensor, gated: Tensor, skipped: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The last stack's next features, and the sum of its skips."""
        gated = self.dropout(gated)
        skipped = skipped + self.skips[layer](gated)
        if layer + 1 < self.n_layers:
            added = self.outs[layer](gated)
            # what comes into the first layer is the place's own token, which stays behind
            h = h + added if layer else added
        return h, skipped

    def _parts(self, axis: int) -> list[_Stack]:
        """The layers of one axis' stack."""
        stack = self.stacks[axis]
        assert isinstance(stack, nn.ModuleList)
        return [part for part in stack if isinstance(part, _Stack)]

    def _told(self, batch: int, level: Tensor | None, condition: Tensor | None) -> Tensor | None:
        check_level(self, batch, level)
        check_pooled_condition(self, batch, condition)
        return None if condition is None else average_over_space(condition)

    def _place(self, cache: PixelCache, position: int) -> list[int]:
        """Indices along every axis of a place in raster order."""
        grid = cache.grid
        return [position // math.prod(grid[k + 1 :]) % size for k, size in enumerate(grid)]


def _slice(x: Tensor, place: list[int]) -> Tensor:
    """A view of ``x`` (batch, channel, *grid) at ``place`` along its first axes of space."""
    for axis, index in enumerate(place, start=2):
        x = x.narrow(axis, index, 1)
    return x
