"""Attention along axes is full attention that sees lines alone, and costs what it says."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.axial_attention import AxialAttention, AxialBlock
from vesalius.networks.multi_head_attention import MultiHeadAttention

SPACES = [(3, 5), (2, 3, 4)]


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).double()


def masked_full_attention(layers: MultiHeadAttention, x: Tensor, allowed: Tensor) -> Tensor:
    """All tokens (tokens, width) by their whole matrix of scores; what is not allowed is cut."""
    n_tokens, width = x.shape
    query, key, value = (
        layer(x).reshape(n_tokens, layers.heads, -1)
        for layer in (layers.query, layers.key, layers.value)
    )
    scores = torch.einsum("ihd,jhd->hij", query, key) / math.sqrt(width / layers.heads)
    weights = scores.masked_fill(~allowed, -math.inf).softmax(2)
    out: Tensor = layers.out(torch.einsum("hij,jhd->ihd", weights, value).reshape(n_tokens, width))
    return out


@pytest.mark.parametrize("space", SPACES)
def test_equals_full_attention_masked_to_lines(space: tuple[int, ...]) -> None:
    network = AxialAttention(6, 2, len(space)).double()
    x = normal(2, *space, 6)
    places = torch.cartesian_prod(*[torch.arange(size) for size in space])
    for case, y in zip(x, network(x), strict=True):
        tokens = case.flatten(0, -2)
        for axis, (norm, layers) in enumerate(zip(network.norms, network.along, strict=True)):
            others = torch.cat([places[:, :axis], places[:, axis + 1 :]], 1)
            same_line = (others[:, None] == others[None]).all(2)
            tokens = tokens + masked_full_attention(layers, norm(tokens), same_line)
        torch.testing.assert_close(y.flatten(0, -2), tokens)


@pytest.mark.parametrize("space", SPACES)
def test_every_voxel_hears_of_every_other(space: tuple[int, ...]) -> None:
    block = AxialBlock(6, 2, len(space)).double()
    x = normal(1, *space, 6)
    other = x.clone()
    other[(0, *[0] * len(space))] += normal(6)
    assert ((block(x) - block(other)).abs().amax(-1) > 1e-12).all()


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of scores of every call of attention."""
    counted: list[int] = []
    attend = functional.scaled_dot_product_attention

    def counting(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        counted.append(query.shape[:-1].numel() * key.shape[-2])
        return attend(query, key, value)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", counting)
    return counted


@pytest.mark.parametrize(("dims", "exponent"), [(2, 3 / 2), (3, 4 / 3)])
def test_cost(dims: int, exponent: float, scores: list[int]) -> None:
    network = AxialAttention(4, 1, dims)
    totals = []
    for side in (4, 8, 16):
        scores.clear()
        network(torch.zeros(1, *[side] * dims, 4))
        totals.append(sum(scores))
        assert totals[-1] == dims * side**dims * side
    assert math.log(totals[2] / totals[1], 2**dims) == pytest.approx(exponent)


def test_heads_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="heads share evenly, got width 6 and heads 4"):
        AxialAttention(6, 4, 2)
