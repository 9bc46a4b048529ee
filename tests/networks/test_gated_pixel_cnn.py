"""Gated causal convolutions: what a place sees, and drawing one place after the other."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import GatedPixelCnn
from vesalius.testing.check_network import check_network

TINY: dict[str, Any] = {"width": 6, "n_layers": 3}
GRID = {2: (4, 5), 3: (3, 3, 4)}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tokens(*shape: int, kinds: int = 5, seed: int = 0) -> Tensor:
    return torch.randint(kinds, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dims", [2, 3])
def test_contract(dims: Literal[2, 3]) -> None:
    sizes: dict[str, Any] = {"channels_in": 5, "channels_out": 4, "dims": dims, **TINY}
    check_network(GatedPixelCnn(**sizes), tokens(2, *GRID[dims]))
    told = GatedPixelCnn(**sizes, reach=2, condition_channels=2, dropout=0.1)
    check_network(told, tokens(2, *GRID[dims]), None, noise(2, 2, 9, 8))


def dependence(grid: tuple[int, ...], n_layers: int, reach: int) -> Tensor:
    """Which place's token (column) moves which place's logits (row), in raster order."""
    dims: Literal[2, 3] = 2 if len(grid) == 2 else 3
    network = GatedPixelCnn(
        channels_in=5, channels_out=4, dims=dims, width=4, n_layers=n_layers, reach=reach
    ).double()
    embedded: list[Tensor] = []

    def keep(module: torch.nn.Module, inputs: Any, output: Tensor) -> Tensor:
        embedded.append(output.detach().requires_grad_())
        return embedded[-1]

    network.tokens.register_forward_hook(keep)
    logits = network(tokens(1, *grid)).flatten(2)
    rows = []
    for place in range(logits.shape[2]):
        (gradient,) = torch.autograd.grad(logits[0, :, place].sum(), embedded[0], retain_graph=True)
        rows.append(gradient[0].flatten(0, -2).abs().amax(1) > 0)
    return torch.stack(rows)


@pytest.mark.parametrize("grid", [(4, 5), (3, 3, 4)])
def test_with_enough_layers_a_place_sees_all_before_it_and_no_other(grid: tuple[int, ...]) -> None:
    found = dependence(grid, n_layers=max(grid), reach=1)
    assert torch.equal(found, torch.ones_like(found).tril(-1))


@pytest.mark.parametrize(("n_layers", "reach"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_what_few_layers_see_has_no_blind_spot(n_layers: int, reach: int) -> None:
    """All rows and columns up to ``n_layers * reach`` away, and nothing beyond: counted by hand."""
    rows, columns, far = 5, 8, n_layers * reach
    found = dependence((rows, columns), n_layers, reach)
    for row in range(rows):
        for column in range(columns):
            seen = {
                (r, c)
                for r in range(max(0, row - far), row + 1)
                for c in range(max(0, column - far), min(columns, column + far + 1))
                if (r, c) < (row, column)
            }
            own = found[row * columns + column].reshape(rows, columns).nonzero()
            assert {(int(r), int(c)) for r, c in own} == seen


@settings(max_examples=20, deadline=None)
@given(dims=st.sampled_from([2, 3]), reach=st.integers(1, 2), data=st.data())
def test_a_token_changes_nothing_up_to_its_place(
    dims: Literal[2, 3], reach: int, data: st.DataObject
) -> None:
    torch.manual_seed(reach)
    network = GatedPixelCnn(channels_in=5, channels_out=4, dims=dims, reach=reach, **TINY).eval()
    grid = data.draw(st.tuples(*[st.integers(1, 5)] * dims))
    x = tokens(1, *grid)
    place = data.draw(st.integers(0, x.numel() - 1))
    other = x.clone()
    other.view(-1)[place] = (x.view(-1)[place] + 1) % 5
    before, after = network(x).flatten(2), network(other).flatten(2)
    assert torch.equal(before[..., : place + 1], after[..., : place + 1])
    following = before.shape[2] > place + 1 and (place + 1) % grid[-1] != 0
    if following:  # the next place of its row
        assert not torch.equal(before[..., place + 1], after[..., place + 1])


def test_a_layer_by_hand() -> None:
    """One feature and layer, kernels of ones: tanh(n) sigmoid(n) of the n tokens seen."""
    network = GatedPixelCnn(channels_in=2, channels_out=1, width=1, n_layers=1, reach=1).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(0.0)
        for axis in (0, 1):
            network._parts(axis)[0].mix.weight.fill_(1.0)
        link = network._parts(0)[0].link
        assert link is not None
        link.weight.copy_(torch.eye(2).reshape(2, 2, 1, 1))
        network.tokens.weight.copy_(torch.tensor([[0.0], [1.0]]))
        network.skips[0].weight.fill_(1.0)  # type: ignore[operator, union-attr]
        network.last.weight.fill_(1.0)
    x = torch.tensor([[[1, 0, 1], [1, 1, 0]]])
    counts = torch.tensor([[0, 1, 0], [1, 3, 2]]).double()  # three above, one to the left
    assert torch.allclose(network(x)[0, 0], counts.tanh() * counts.sigmoid())


@pytest.mark.parametrize("reach", [1, 2])
@pytest.mark.parametrize("dims", [2, 3])
def test_steps_give_what_forward_gives(dims: Literal[2, 3], reach: int) -> None:
    network = GatedPixelCnn(
        channels_in=5,
        channels_out=5,
        dims=dims,
        reach=reach,
        condition_channels=3,
        dropout=0.3,
        **TINY,
    )
    network = network.double().eval()
    x, condition = tokens(2, *GRID[dims]), noise(2, 3, 4, 4).double()
    wanted = network(x, condition=condition).flatten(2)
    cache, other = (network.begin(2, GRID[dims], condition=condition) for _ in range(2))
    flat = x.flatten(1)
    for place in range(flat.shape[1]):
        logits = network.step(cache, flat[:, place - 1] if place else None)
        assert torch.allclose(logits, wanted[:, :, place], rtol=0, atol=1e-12)
        assert not logits.requires_grad
    assert torch.allclose(network.step(other), wanted[:, :, 0]), "a cache serves one drawing"
    with pytest.raises(InputError, match=f"{flat.shape[1]} places"):
        network.step(cache, flat[:, -1])
    with pytest.raises(InputError, match="got none at place 1"):
        network.step(other)


def test_what_does_not_fit_is_named() -> None:
    network = GatedPixelCnn(channels_in=4, channels_out=4, condition_channels=1, **TINY)
    condition = noise(2, 1, 3, 3)
    with pytest.raises(InputError, match="GatedPixelCnn: expected tokens from 0 to 3, got some"):
        network(torch.tensor([[[0, 4]]]).expand(2, 1, 2), None, condition)
    with pytest.raises(InputError, match="int64 tokens"):
        network(noise(2, 3, 3), None, condition)
    with pytest.raises(InputError, match=r"condition of shape \(2, 1\)"):
        network(tokens(2, 3, 3, kinds=4), None, noise(2, 2, 3, 3))
    with pytest.raises(InputError, match="expected no level"):
        network(tokens(2, 3, 3, kinds=4), torch.zeros(2), condition)
    with pytest.raises(InputError, match="a grid of 2 axes"):
        network.begin(2, (3,), None, condition)
    with pytest.raises(InputError, match="a condition of 1 channels, got none"):
        network.begin(2, (3, 3))
    with pytest.raises(InputError, match="at least one layer"):
        GatedPixelCnn(channels_in=4, channels_out=4, n_layers=0)
