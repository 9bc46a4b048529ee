"""A Swin transformer layer: attention within windows, then two linear layers at every token."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.window_attention import (
    WindowAttention,
    from_windows,
    to_windows,
    window_shift,
)


class SwinLayer(nn.Module):
    """Normalise, attend within windows, add; normalise, two linear layers, add.

    Parameters
    ----------
    width, heads, window, dims:
        See :class:`~vesalius.networks.window_attention.WindowAttention`.
    shifted:
        Whether windows lie half a window further, across the borders of the others.
    level_features:
        Features of a level embedding that scales and shifts what each normalisation gives; zero
        for none.

    Reference: Liu et al., Swin transformer, ICCV 2021, arXiv:2103.14030; twice as wide between
    the linear layers as in SwinIR (Liang et al. 2021, arXiv:2108.10257).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        window: int,
        dims: Literal[2, 3],
        *,
        shifted: bool,
        level_features: int = 0,
    ) -> None:
        super().__init__()
        self.window, self.shifted = window, shifted
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = WindowAttention(width, heads, window, dims)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.adapt = nn.Linear(level_features, 4 * width) if level_features else None

    def forward(self, x: Tensor, mask: Tensor, embedding: Tensor | None = None) -> Tensor:
        """``(batch, *grid, width)`` to the same, channels last.

        ``mask`` is that of :func:`~vesalius.networks.window_attention.shift_mask`, ``embedding``
        (batch, level_features).
        """
        grid = tuple(x.shape[1:-1])
        first, second = self.first_norm(x), None
        if self.adapt is not None:
            assert embedding is not None
            adapted = self.adapt(embedding).reshape(len(x), *[1] * len(grid), -1)
            scale, shift, *second = adapted.chunk(4, -1)
            first = torch.addcmul(shift, first, 1 + scale)
        axes = tuple(range(1, 1 + len(grid)))
        moved = window_shift(self.window, grid) if self.shifted else (0,) * len(grid)
        if any(moved):
            first = first.roll([-n for n in moved], axes)
            seen = self.attention(to_windows(first, self.window), mask)
            seen = from_windows(seen, self.window, grid).roll(moved, axes)
        else:
            seen = from_windows(self.attention(to_windows(first, self.window)), self.window, grid)
        x = x + seen
        normed = self.second_norm(x)
        if second is not None:
            normed = torch.addcmul(second[1], normed, 1 + second[0])
        changed: Tensor = x + self.narrow(functional.gelu(self.widen(normed)))
        return changed
