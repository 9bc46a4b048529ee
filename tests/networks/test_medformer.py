"""MedFormer's attention against its equations, and its cost."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vesalius.core.errors import InputError
from vesalius.networks.bidirectional_attention import BidirectionalAttention, SemanticMap
from vesalius.networks.medformer import MedFormer


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


@torch.no_grad()
def slow_attention(
    attention: BidirectionalAttention, x: Tensor, tokens: Tensor
) -> tuple[Tensor, Tensor]:
    """One case, number by number; convolutions around it are taken as they are."""
    channels, heads = x.shape[0], attention.heads
    size = channels // heads
    parts = attention.of_voxels(x[None])[0].flatten(1).T
    query, value = parts[:, :channels], parts[:, channels:]
    key, known = attention.of_tokens(tokens).split(channels, 1)
    n_voxels, n_tokens = len(query), len(tokens)
    heard, taken = torch.zeros(n_voxels, channels), torch.zeros(n_tokens, channels)
    heard, taken = heard.double(), taken.double()
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        power = [[math.exp(float(q[own] @ k[own]) / math.sqrt(size)) for k in key] for q in query]
        for i in range(n_voxels):
            for j in range(n_tokens):
                of_row = power[i][j] / sum(power[i])
                of_column = power[i][j] / sum(row[j] for row in power)
                heard[i, own] += of_row * known[j, own]
                taken[j, own] += of_column * value[i, own]
    assert attention.tokens_out is not None
    out = attention.voxels_out(heard.T.reshape(1, *x.shape))[0]
    return out, attention.tokens_out(taken)


@pytest.mark.parametrize("space", [(3, 4), (2, 3, 2)])
def test_one_matrix_of_scores_serves_both_ways(space: tuple[int, ...]) -> None:
    attention = BidirectionalAttention(4, 2, len(space)).double()
    x, tokens = 3 * normal(2, 4, *space), 3 * normal(2, 5, 4, seed=1)
    voxels, taken = attention(x, tokens)
    for case in range(2):
        expected = slow_attention(attention, x[case], tokens[case])
        torch.testing.assert_close(voxels[case], expected[0])
        torch.testing.assert_close(taken[case], expected[1])


def test_a_map_that_is_not_read_is_not_updated() -> None:
    attention = BidirectionalAttention(4, 2, 2, updates_map=False)
    voxels, taken = attention(torch.randn(1, 4, 3, 3), torch.randn(1, 5, 4))
    assert taken is None
    assert voxels.shape == (1, 4, 3, 3)


def test_a_semantic_map_is_a_weighted_average() -> None:
    summed = SemanticMap(3, 5, 2).double()
    x = normal(2, 3, 6, 7)
    features, weights = summed.features(x), summed.weights(x).exp()
    expected = torch.stack(
        [
            (features * weights[:, token, None]).sum((2, 3)) / weights[:, token, None].sum((2, 3))
            for token in range(5)
        ],
        1,
    )
    torch.testing.assert_close(summed(x), expected)
    torch.nn.init.zeros_(summed.features.weight)  # whatever the weights: they add up to one
    torch.testing.assert_close(summed(x), summed.features.bias.expand(2, 5, 3))


def operations(network: torch.nn.Module, *given: Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(*given)
    return counter.get_total_flops()


def test_attention_costs_linearly_in_voxels() -> None:
    attention, tokens = BidirectionalAttention(8, 2, 3), torch.zeros(1, 16, 8)
    few, some, many = (
        operations(attention, torch.zeros(1, 8, 8, 8, depth), tokens) for depth in (4, 8, 16)
    )
    assert many - some == 2 * (some - few) > 0  # a line: what the map costs does not grow
    queries, keys = torch.zeros(1, 2, 512, 4), torch.zeros(1, 2, 16, 4)
    assert attention.scores(queries, keys).shape == (1, 2, 512, 16)


def test_the_whole_costs_linearly_in_voxels() -> None:
    network = MedFormer(channels_in=1, channels_out=2, dims=3, width=4, heads=2, map_tokens=8)
    few, some, many = (
        operations(network, torch.zeros(1, 1, 16, 16, depth)) for depth in (8, 16, 32)
    )
    assert many - some == 2 * (some - few) > 0


def test_two_resolutions_are_enough_and_one_is_not() -> None:
    network = MedFormer(channels_in=1, channels_out=2, width=4, multipliers=(1, 2), heads=2)
    y = network(torch.randn(1, 1, 8, 8))
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    with pytest.raises(InputError, match="at least two resolutions"):
        MedFormer(channels_in=1, channels_out=2, multipliers=(1,))
    with pytest.raises(InputError, match="heads share evenly, got width 6 and heads 4"):
        MedFormer(channels_in=1, channels_out=2, width=3)
