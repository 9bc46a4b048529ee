"""Orders are permutations; neighbours stay together where that is promised."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks.scan_orders import (
    ScanKind,
    circular,
    hilbert,
    inverse_orders,
    raster,
    reorder,
    scan_orders,
    snake,
    spiral,
)

GRIDS = st.lists(st.integers(1, 9), min_size=2, max_size=3).map(tuple)


def places(order: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Coordinates (places, axes) of raster indices."""
    return torch.stack(torch.unravel_index(order, grid), 1)


def jumps(order: Tensor, grid: tuple[int, ...]) -> Tensor:
    """How many steps along axes lie between tokens in a row."""
    return places(order, grid).diff(dim=0).abs().sum(1)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(get_args(ScanKind)), GRIDS)
def test_every_order_holds_every_place_once_and_leads_back(
    kind: ScanKind, grid: tuple[int, ...]
) -> None:
    orders, back = scan_orders(kind, grid), inverse_orders(kind, grid)
    number = math.prod(grid)
    assert orders.shape == back.shape == (2 * math.factorial(len(grid)), number)
    for order, inverse in zip(orders, back, strict=True):
        assert order.sort().values.tolist() == list(range(number))
        assert order[inverse].tolist() == list(range(number))
        assert inverse[order].tolist() == list(range(number))
    # every other order is the one before it, backwards
    assert torch.equal(orders[1::2], orders[::2].flip(1))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["snake", "spiral"]), GRIDS)
def test_neighbours_stay_neighbours(kind: ScanKind, grid: tuple[int, ...]) -> None:
    for order in scan_orders(kind, grid):
        assert (jumps(order, grid) == 1).all()


@pytest.mark.parametrize("grid", [(2, 2), (8, 8), (16, 16), (2, 2, 2), (4, 4, 4), (8, 8, 8)])
def test_hilbert_goes_from_neighbour_to_neighbour_in_a_cube(grid: tuple[int, ...]) -> None:
    order = hilbert(grid)
    assert (jumps(order, grid) == 1).all()
    # and stays in a quarter (an eighth) until it has seen all of it
    part = len(order) // 2 ** len(grid)
    half = grid[0] // 2
    for first in range(0, len(order), part):
        where = places(order[first : first + part], grid) // half
        assert (where == where[0]).all()


def test_raster_jumps_back_at_the_end_of_a_line() -> None:
    assert raster((3, 4)).tolist() == list(range(12))
    assert jumps(raster((3, 4)), (3, 4)).tolist() == [1, 1, 1, 4, 1, 1, 1, 4, 1, 1, 1]


def test_orders_by_hand() -> None:
    assert snake((2, 2, 3)).tolist() == [0, 1, 2, 5, 4, 3, 9, 10, 11, 8, 7, 6]
    assert spiral((3, 4)).tolist() == [0, 1, 2, 3, 7, 11, 10, 9, 8, 4, 5, 6]
    assert spiral((2, 2, 2)).tolist() == [0, 1, 3, 2, 6, 7, 5, 4]
    # the cross scan: rows, rows backwards, columns, columns backwards
    assert scan_orders("raster", (2, 3)).tolist() == [
        [0, 1, 2, 3, 4, 5],
        [5, 4, 3, 2, 1, 0],
        [0, 3, 1, 4, 2, 5],
        [5, 2, 4, 1, 3, 0],
    ]
    # in a volume, the first orders have each axis as the quickest once
    firsts = scan_orders("raster", (2, 3, 4))[:6:2, 1].tolist()
    assert firsts == [1, 12, 4]


@pytest.mark.parametrize("grid", [(9, 9), (8, 6), (5, 6, 7)])
def test_rings_grow_from_the_centre_and_each_is_walked_once_around(grid: tuple[int, ...]) -> None:
    order = circular(grid)
    offset = places(order, grid) - (torch.tensor(grid) - 1) / 2
    ring = offset.square().sum(1).sqrt().round()
    assert (ring.diff() >= 0).all()
    if len(grid) == 2:
        angle = torch.atan2(offset[:, 0], offset[:, 1])
        turned = angle.diff()[ring.diff() == 0]
        assert (turned > 0).all()
    else:  # plane after plane of a shell
        assert (offset[:, 0].diff()[ring.diff() == 0] >= 0).all()


@pytest.mark.parametrize("kind", get_args(ScanKind))
@pytest.mark.parametrize("grid", [(5, 5), (4, 4, 4)])
def test_all_orders_together_turn_with_the_axes(kind: ScanKind, grid: tuple[int, ...]) -> None:
    orders = {tuple(order.tolist()) for order in scan_orders(kind, grid)}
    turned = torch.arange(math.prod(grid)).reshape(grid).transpose(0, 1).flatten()
    assert {tuple(turned[list(order)].tolist()) for order in orders} == orders


@settings(max_examples=20, deadline=None)
@given(GRIDS)
def test_the_cross_scan_turns_by_half_a_turn(grid: tuple[int, ...]) -> None:
    orders = {tuple(order.tolist()) for order in scan_orders("raster", grid)}
    turned = torch.arange(math.prod(grid)).flip(0)
    assert {tuple(turned[list(order)].tolist()) for order in orders} == orders


def test_reordered_tokens_and_gradients_go_back_to_their_places() -> None:
    order, inverse = (each("circular", (3, 4))[1] for each in (scan_orders, inverse_orders))
    x = torch.randn(2, 12, 3, dtype=torch.float64, requires_grad=True)
    y = reorder(x, order, inverse)
    assert torch.equal(y, x[:, order])
    assert torch.equal(reorder(y, inverse, order), x)
    weight = torch.randn(2, 12, 3, dtype=torch.float64)
    (found,) = torch.autograd.grad(reorder(x, order, inverse), x, weight)
    (wanted,) = torch.autograd.grad(x[:, order], x, weight)
    assert torch.equal(found, wanted)
    assert torch.autograd.gradgradcheck(lambda x: reorder(x, order, inverse).square(), (x,))


def test_what_is_no_order_is_named() -> None:
    with pytest.raises(InputError, match=r"raster, snake, spiral, circular, hilbert, got 'zigzag'"):
        scan_orders("zigzag", (3, 3))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="two or more axes"):
        scan_orders("raster", (3,))
    with pytest.raises(InputError, match="a place each"):
        scan_orders("raster", (3, 0))
