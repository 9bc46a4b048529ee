"""Orders in which the places of a grid become a sequence, and back."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import permutations
from typing import Any, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError

ScanKind = Literal["raster", "snake", "spiral", "circular", "hilbert"]
Grid = tuple[int, ...]


def raster(grid: Grid) -> Tensor:
    """Raster indices (places,) line after line, each from its beginning.

    >>> raster((2, 3)).tolist()
    [0, 1, 2, 3, 4, 5]
    """
    return torch.arange(math.prod(grid))


def snake(grid: Grid) -> Tensor:
    """Every other line backwards, and every other plane: tokens in a row are neighbours.

    >>> snake((2, 3)).tolist()
    [0, 1, 2, 5, 4, 3]
    """
    order = torch.arange(grid[-1])
    size = grid[-1]
    for lines in reversed(grid[:-1]):
        ways = (order, order.flip(0))
        order = torch.cat([line * size + ways[line % 2] for line in range(lines)])
        size *= lines
    return order


def spiral(grid: Grid) -> Tensor:
    """From the outermost ring inwards, clockwise: tokens in a row are neighbours.

    The planes of a volume are walked inwards and outwards in turn.

    Reference: Wang et al., Soft masked Mamba diffusion model (DiffMa), arXiv:2406.15910; Atli et
    al., I2I-Mamba, arXiv:2405.14022.

    >>> spiral((3, 3)).tolist()
    [0, 1, 2, 5, 8, 7, 6, 3, 4]
    """
    *planes, rows, columns = grid
    left = torch.arange(rows * columns).reshape(rows, columns)
    parts = []
    while left.numel():
        parts.append(left[0])
        left = left[1:].T.flip(0)  # what is left, turned so that the next side is on top
    order = torch.cat(parts)
    ways = (order, order.flip(0))
    return torch.cat([k * len(order) + ways[k % 2] for k in range(math.prod(planes))])


def circular(grid: Grid) -> Tensor:
    """Ring after ring from the centre outwards (shells in a volume), each once around.

    A ring holds the places whose distance from the centre rounds to the same number. Low
    frequencies of a centred k-space come first so.

    Reference: Meng et al., DM-Mamba, arXiv:2501.08163.

    >>> circular((3, 3)).tolist()[0]
    4
    """
    axes = [torch.arange(size, dtype=torch.float64) - (size - 1) / 2 for size in grid]
    place = torch.stack([each.flatten() for each in torch.meshgrid(*axes, indexing="ij")])
    ring = place.square().sum(0).sqrt().round()
    around = torch.atan2(place[-2], place[-1])
    order = around.argsort(stable=True)
    for slower in (*place[:-2].flip(0), ring):
        order = order[slower[order].argsort(stable=True)]
    return order


def hilbert(grid: Grid) -> Tensor:
    """Along Hilbert's curve through the cube of a power of two around the grid.

    What is near in the sequence is near in the grid; tokens in a row are neighbours where all
    sides are the same power of two.

    Reference: Skilling, Programming the Hilbert curve, AIP Conf. Proc. 707, 2004.

    >>> hilbert((2, 2)).tolist()
    [0, 1, 3, 2]
    """
    bits = max(1, (max(grid) - 1).bit_length())
    axes = torch.meshgrid(*(torch.arange(size) for size in grid), indexing="ij")
    x = [each.flatten().clone() for each in axes]
    for bit in reversed(range(1, bits)):  # undo the turns of the smaller cubes
        low = (1 << bit) - 1
        for axis in range(len(x)):
            turned = (x[axis] >> bit) & 1 == 1
            swapped = torch.where(turned, 0, (x[0] ^ x[axis]) & low)
            x[0] = torch.where(turned, x[0] ^ low, x[0] ^ swapped)
            x[axis] = x[axis] ^ swapped
    for axis in range(1, len(x)):  # Gray code
        x[axis] = x[axis] ^ x[axis - 1]
    flip = torch.zeros_like(x[0])
    for bit in reversed(range(1, bits)):
        flip = torch.where((x[-1] >> bit) & 1 == 1, flip ^ ((1 << bit) - 1), flip)
    key = torch.zeros_like(x[0])
    for bit in reversed(range(bits)):
        for each in x:
            key = key * 2 + (((each ^ flip) >> bit) & 1)
    return key.argsort()


_KINDS = {
    "raster": raster,
    "snake": snake,
    "spiral": spiral,
    "circular": circular,
    "hilbert": hilbert,
}


@lru_cache(maxsize=256)
def scan_orders(kind: ScanKind, grid: Grid) -> Tensor:
    """Every order of a kind: (orders, places), int64 raster indices.

    There are two for every permutation of the axes, forward and back: 4 in a plane, which for
    ``"raster"`` is the cross scan of VMamba, and 12 in a volume. Those of the cyclic
    permutations come first, so that the first ``2 * dims`` orders walk along each axis both
    ways. The sum over all orders of one and the same causal network turns with the grid's axes;
    for ``"raster"`` it also turns with the grid by half a turn (all axes reversed).

    ``"snake"`` is the cross scan whose sequences are regenerated so that tokens in a row are
    neighbours in the grid, without any parameter.

    Reference: Liu et al., VMamba, NeurIPS 2024, arXiv:2401.10166; Ju & Zhou, VM-DDPM,
    arXiv:2405.05667.

    >>> scan_orders("raster", (2, 2)).tolist()
    [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3], [3, 1, 2, 0]]
    """
    if kind not in _KINDS:
        raise InputError(f"an order of tokens among {', '.join(_KINDS)}", came=repr(kind))
    if len(grid) < 2 or min(grid) < 1:
        raise InputError("a grid of two or more axes with a place each", came=grid)
    dims = len(grid)
    cyclic = [tuple((first + k) % dims for k in range(dims)) for first in range(dims)]
    others = [axes for axes in permutations(range(dims)) if axes not in cyclic]
    places = torch.arange(math.prod(grid)).reshape(grid)
    orders = []
    for axes in (*cyclic, *others):
        along = _KINDS[kind](tuple(grid[axis] for axis in axes))
        order = places.permute(axes).flatten()[along]
        orders += [order, order.flip(0)]
    return torch.stack(orders)


@lru_cache(maxsize=256)
def inverse_orders(kind: ScanKind, grid: Grid) -> Tensor:
    """(orders, places): where in each sequence the places of the grid are, in raster order.

    >>> orders, back = scan_orders("spiral", (3, 3)), inverse_orders("spiral", (3, 3))
    >>> orders[0][back[0]].tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    return scan_orders(kind, grid).argsort(1)


class _Reorder(torch.autograd.Function):
    """Choose tokens in an order; the gradient is chosen back, which is quicker than added back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        """See :func:`reorder`."""
        ctx.save_for_backward(order, inverse)
        return x.index_select(1, order)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """The other way around."""
        order, inverse = ctx.saved_tensors
        back: Tensor = _Reorder.apply(grad, inverse, order)  # type: ignore[no-untyped-call]
        return back, None, None


def reorder(x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
    """Tokens ``(batch, places, channels)`` in ``order``; ``inverse`` is the order back."""
    order, inverse = order.to(x.device), inverse.to(x.device)
    reordered: Tensor = _Reorder.apply(x, order, inverse)  # type: ignore[no-untyped-call]
    return reordered
