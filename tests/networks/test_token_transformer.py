"""Tokens in, logits out: what a place sees, and drawing one place after the other."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import TokenTransformer
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.neighbours import Neighbours
from vesalius.testing.check_network import check_network

TINY: dict[str, Any] = {"width": 16, "n_layers": 2, "heads": 2}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tokens(*shape: int, kinds: int = 5, seed: int = 0) -> Tensor:
    return torch.randint(kinds, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("neighbours", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dims", [2, 3])
def test_contract(dims: Literal[2, 3], causal: bool, neighbours: bool) -> None:
    options: dict[str, Any] = {"channels_in": 5, "channels_out": 4, "dims": dims, "causal": causal}
    options["neighbours"] = neighbours
    grid = (4, 5) if dims == 2 else (3, 4, 2)
    check_network(TokenTransformer(**options, **TINY), tokens(2, *grid))
    told = TokenTransformer(**options, **TINY, condition_channels=2, takes_level=True, dropout=0.1)
    check_network(told, tokens(2, *grid), torch.tensor([0.1, 0.8]), noise(2, 2, 9, 8))


def dependence(causal: bool, neighbours: bool = False) -> Tensor:
    """Which place's token (column) moves which place's logits (row), in raster order."""
    network = TokenTransformer(
        channels_in=5, channels_out=4, causal=causal, neighbours=neighbours, **TINY
    ).double()
    embedded: list[Tensor] = []

    def keep(module: torch.nn.Module, inputs: Any, output: Tensor) -> Tensor:
        embedded.append(output.detach().requires_grad_())
        return embedded[-1]

    network.tokens.register_forward_hook(keep)
    logits = network(tokens(1, 3, 4)).flatten(2)
    rows = []
    for place in range(12):
        (gradient,) = torch.autograd.grad(logits[0, 0, place], embedded[0], retain_graph=True)
        rows.append(gradient[0].abs().amax(1) > 1e-12)
    return torch.stack(rows)


@pytest.mark.parametrize("neighbours", [False, True])
def test_a_causal_place_sees_all_tokens_before_it_and_no_other(neighbours: bool) -> None:
    before = torch.ones(12, 12).tril(-1).bool()
    assert torch.equal(dependence(causal=True, neighbours=neighbours), before)
    assert dependence(causal=False, neighbours=neighbours).all()


def test_neighbours_are_those_of_the_grid() -> None:
    """The place in the middle of 3 x 3, and the first: a convolution of ones counts them."""
    for causal, middle, first in ((True, 4.0, 0.0), (False, 9.0, 4.0)):
        beside = Neighbours(1, 2, causal=causal)
        torch.nn.init.ones_(beside.mix.weight)
        counts = beside(torch.ones(1, 1, 3, 3))[0, 0]
        assert (float(counts[1, 1].detach()), float(counts[0, 0].detach())) == (middle, first)


@pytest.mark.parametrize("neighbours", [False, True])
@pytest.mark.parametrize("dims", [2, 3])
def test_steps_give_what_forward_gives(dims: Literal[2, 3], neighbours: bool) -> None:
    network = TokenTransformer(
        channels_in=5,
        channels_out=5,
        dims=dims,
        causal=True,
        neighbours=neighbours,
        condition_channels=3,
        takes_level=True,
        dropout=0.3,
        **TINY,
    )
    network = network.double().eval()
    grid = (3, 4) if dims == 2 else (2, 2, 3)
    x, level = tokens(2, *grid), torch.tensor([0.2, 0.9]).double()
    condition = noise(2, 3, 4, 4).double()
    wanted = network(x, level, condition).flatten(2)
    cache = network.begin(2, grid, level, condition)
    flat = x.flatten(1)
    for place in range(12):
        logits = network.step(cache, flat[:, place - 1] if place else None)
        assert torch.allclose(logits, wanted[:, :, place], rtol=0, atol=1e-12)
        assert not logits.requires_grad
    with pytest.raises(InputError, match="12 places"):
        network.step(cache, flat[:, -1])


def test_a_cache_serves_one_drawing_only() -> None:
    network = TokenTransformer(channels_in=4, channels_out=4, causal=True, **TINY).eval()
    first, second = network.begin(1, (2, 2)), network.begin(1, (2, 2))
    start = network.step(first)
    network.step(first, torch.tensor([3]))
    assert torch.equal(network.step(second), start)
    with pytest.raises(InputError, match="got none at place 2"):
        network.step(first)
    with pytest.raises(InputError, match="got one at place 0"):
        network.step(network.begin(1, (2, 2)), torch.tensor([0]))


def test_a_condition_is_averaged_over_space_of_any_size() -> None:
    network = TokenTransformer(channels_in=4, channels_out=4, condition_channels=2, **TINY).eval()
    x, classes = tokens(2, 3, 3, kinds=4), torch.eye(2)
    wanted = network(x, None, classes)
    for space in ((1, 1), (28, 28), (3, 5)):
        spread = classes[:, :, None, None].expand(2, 2, *space)
        assert torch.allclose(network(x, None, spread), wanted, atol=1e-6)
    assert not torch.allclose(network(x, None, classes.flip(0)), wanted, atol=1e-3)


def test_places_are_told_apart_along_each_axis() -> None:
    places = GridPositions(4, 2)
    places.mix = torch.nn.Identity()  # type: ignore[assignment]
    waves = places((30, 40)).reshape(30, 40, -1)
    assert (torch.cdist(waves.flatten(0, 1), waves.flatten(0, 1)) < 0.5).sum() == 1200
    # the first half is of the first axis, the second of the second, by hand at (7, 11)
    for half, index in ((waves[7, 11, :32], 7), (waves[7, 11, 32:], 11)):
        assert half[0].item() == pytest.approx(torch.tensor(float(index)).sin().item(), abs=1e-5)
        assert half[16].item() == pytest.approx(torch.tensor(float(index)).cos().item(), abs=1e-5)


def test_no_grid_is_too_large() -> None:
    """No place is learnt, so none is unknown: of a grid larger than any before, all are told apart.

    What was learnt of a small grid's places holds for the same indices of a larger one.
    """
    places = GridPositions(8, 2)
    small, large = places((4, 5)).reshape(4, 5, -1), places((64, 96)).reshape(64, 96, -1)
    assert torch.equal(small, large[:4, :5])
    rows = large.flatten(0, 1)
    # so near to each other that rounding counts: compared in double precision
    apart = torch.cdist(
        rows[::7].double(), rows.double(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    assert (apart < 1e-9).sum() == len(rows[::7])
    network = TokenTransformer(channels_in=4, channels_out=4, causal=True, **TINY).eval()
    x = tokens(1, 12, 9, kinds=4)
    # causal, so that the rows above are what they are of any grid as wide
    assert torch.allclose(network(x)[:, :, :5], network(x[:, :5]), atol=1e-5)


def test_a_step_writes_and_never_copies_what_is_known() -> None:
    network = TokenTransformer(channels_in=4, channels_out=4, causal=True, **TINY).eval()
    cache = network.begin(2, (3, 3))
    homes = [(known.keys.data_ptr(), known.values.data_ptr()) for known in cache.layers]
    network.step(cache)
    first = [known.keys[:, :, 0].clone() for known in cache.layers]
    for _ in range(8):
        network.step(cache, torch.tensor([1, 2]))
    assert [(known.keys.data_ptr(), known.values.data_ptr()) for known in cache.layers] == homes
    assert all(torch.equal(a, b.keys[:, :, 0]) for a, b in zip(first, cache.layers, strict=True))
    assert {known.length for known in cache.layers} == {9}


def test_a_block_is_that_of_torch() -> None:
    """With the same weights as torch's own layer, key biases apart, whatever the mask."""
    block = AttentionBlock(12, 3).eval()
    theirs = torch.nn.TransformerEncoderLayer(
        12, 3, 48, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).eval()
    attention = theirs.self_attn
    with torch.no_grad():
        parts = (block.query.weight, block.key.weight, block.value.weight)
        attention.in_proj_weight.copy_(torch.cat(parts))
        biases = (block.query.bias, torch.zeros(12), block.value.bias)
        attention.in_proj_bias.copy_(torch.cat(biases))
        for ours, other in (
            (block.out, attention.out_proj),
            (block.widen, theirs.linear1),
            (block.narrow, theirs.linear2),
        ):
            other.load_state_dict(ours.state_dict())
    x = noise(2, 7, 12)
    assert torch.allclose(block(x), theirs(x), atol=1e-5)
    mask = torch.full((7, 7), -torch.inf).triu(1)
    assert torch.allclose(block(x, causal=True), theirs(x, src_mask=mask), atol=1e-5)


def test_it_learns_what_comes_next_and_draws_it() -> None:
    """Rows that count up modulo four from a first token: only the first is not known."""
    torch.manual_seed(0)
    network = TokenTransformer(channels_in=4, channels_out=4, causal=True, **TINY)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(120):
        x = ((torch.randint(4, (16, 1)) + torch.arange(9)) % 4).reshape(16, 3, 3)
        loss = torch.nn.functional.cross_entropy(network(x), x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    # one token in nine costs log(4), the others nothing
    assert loss.item() == pytest.approx(torch.tensor(4.0).log().item() / 9, abs=0.03)
    cache, drawn = network.eval().begin(2, (3, 3)), [torch.tensor([1, 3])]
    network.step(cache)
    for _ in range(8):
        drawn.append(network.step(cache, drawn[-1]).argmax(1))
    assert torch.stack(drawn, 1).tolist() == [[(k + n) % 4 for n in range(9)] for k in (1, 3)]


def test_what_does_not_fit_is_named() -> None:
    network = TokenTransformer(channels_in=4, channels_out=4, condition_channels=1, **TINY)
    condition = noise(2, 1, 3, 3)
    with pytest.raises(InputError, match="tokens from 0 to 3, got some from 0 to 4"):
        network(torch.tensor([[[0, 4]]]).expand(2, 1, 2), None, condition)
    with pytest.raises(InputError, match="int64 tokens"):
        network(noise(2, 3, 3), None, condition)
    with pytest.raises(InputError, match="2 axes of space"):
        network(tokens(2, 3), None, condition)
    with pytest.raises(InputError, match="a condition of 1 channels, got none"):
        network(tokens(2, 3, 3, kinds=4))
    with pytest.raises(InputError, match=r"condition of shape \(2, 1\)"):
        network(tokens(2, 3, 3, kinds=4), None, noise(2, 2, 3, 3))
    with pytest.raises(InputError, match="a causal transformer"):
        network.begin(2, (3, 3), None, condition)
    with pytest.raises(InputError, match="a grid of 2 axes"):
        TokenTransformer(channels_in=4, channels_out=4, causal=True, **TINY).begin(2, (3,))
    with pytest.raises(InputError, match="heads share evenly"):
        TokenTransformer(channels_in=4, channels_out=4, width=10, heads=4)
    with pytest.raises(InputError, match="at least one layer"):
        TokenTransformer(channels_in=4, channels_out=4, n_layers=0)
