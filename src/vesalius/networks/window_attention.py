"""Attention within windows of a grid, with a bias for where one token lies from another."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError


def to_windows(x: Tensor, window: int) -> Tensor:
    """``(batch, *grid, width)`` to (batch * windows, tokens, width); the grid holds whole windows.

    >>> to_windows(torch.arange(16).reshape(1, 4, 4, 1), 2)[1].flatten().tolist()
    [2, 3, 6, 7]
    """
    batch, *grid, width = x.shape
    split = [part for size in grid for part in (size // window, window)]
    blocks = range(1, 2 * len(grid), 2)
    within = range(2, 2 * len(grid) + 1, 2)
    x = x.reshape(batch, *split, width).permute(0, *blocks, *within, 2 * len(grid) + 1)
    return x.reshape(-1, window ** len(grid), width)


def from_windows(windows: Tensor, window: int, grid: tuple[int, ...]) -> Tensor:
    """Undo :func:`to_windows` for a grid of this size."""
    dims, width = len(grid), windows.shape[-1]
    blocks = [size // window for size in grid]
    x = windows.reshape(-1, *blocks, *[window] * dims, width)
    order = [place for axis in range(dims) for place in (1 + axis, 1 + dims + axis)]
    return x.permute(0, *order, 2 * dims + 1).reshape(-1, *grid, width)


def window_shift(window: int, grid: tuple[int, ...]) -> tuple[int, ...]:
    """Half a window along every axis, and none along one that a single window spans."""
    return tuple(window // 2 if size > window else 0 for size in grid)


def shift_mask(window: int, grid: tuple[int, ...], device: torch.device | None = None) -> Tensor:
    """Which pairs of tokens attend after the grid was rolled back by half a window.

    A roll brings opposite borders into one window. Zero where two tokens of a window were
    neighbours before, minus infinity where not: (windows, 1, tokens, tokens).
    """
    regions = torch.zeros(1, *grid, 1, dtype=torch.long, device=device)
    for axis, (size, shift) in enumerate(zip(grid, window_shift(window, grid), strict=True)):
        wrapped = torch.arange(size, device=device) >= size - shift
        shape = [1] * (1 + axis) + [size] + [1] * (len(grid) - axis)
        regions = 2 * regions + wrapped.long().reshape(shape)
    inside = to_windows(regions, window)[:, :, 0]
    apart = inside[:, None, :, None] != inside[:, None, None, :]
    return torch.zeros(apart.shape, device=device).masked_fill(apart, -torch.inf)


def relative_places(window: int, dims: int) -> Tensor:
    """Number of each pair's displacement, (tokens, tokens), from 0 to (2 window - 1)**dims - 1."""
    tokens = torch.tensor(list(itertools.product(range(window), repeat=dims)))
    apart = tokens[:, None] - tokens[None] + window - 1
    return (apart * (2 * window - 1) ** torch.arange(dims).flip(0)).sum(-1)


class WindowAttention(nn.Module):
    """Multi-head attention among the tokens of each window.

    To every score is added a learnt number of the head and of the displacement between the two
    tokens, which is all that is known of places. Scores are kept, not made again in the backward
    pass: on a CPU that is quicker than the fused kernel, which learns no bias.

    Parameters
    ----------
    width, heads:
        Features of a token, and parts of them that attend each for itself.
    window, dims:
        Tokens along each of so many axes of a window.

    Reference: Liu et al., Swin transformer, ICCV 2021, arXiv:2103.14030, equation 4.
    """

    places: Tensor

    def __init__(self, width: int, heads: int, window: int, dims: int) -> None:
        if heads < 1 or width % heads:
            raise InputError(
                "a width that the heads share evenly", came=f"width {width} and heads {heads}"
            )
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(0.02 * torch.randn((2 * window - 1) ** dims, heads))
        self.register_buffer("places", relative_places(window, dims), persistent=False)

    def forward(self, windows: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch * windows, tokens, width) to the same shape; ``mask`` is :func:`shift_mask`'s."""
        n_tokens = windows.shape[1]
        parts = self.query_key_value(windows).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = (query * query.shape[3] ** -0.5) @ key.transpose(2, 3)
        bias = self.bias[self.places].permute(2, 0, 1)
        if mask is not None:
            scores = (scores.unflatten(0, (-1, len(mask))) + (bias + mask)).flatten(0, 1)
        else:
            scores = scores + bias
        seen = scores.softmax(3) @ value
        out: Tensor = self.out(seen.transpose(1, 2).reshape(-1, n_tokens, windows.shape[2]))
        return out
