"""The diffusion transformer against its paper, worked out another way."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks.adaptive_block import AdaptiveBlock
from vesalius.networks.dit import DiT
from vesalius.testing.check_network import check_network


def noisy(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """In double precision, with noise on every parameter: what starts at zero is at work."""
    generator = torch.Generator().manual_seed(seed)
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.2 * noise)
    return network


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


@torch.no_grad()
def slow_block(block: AdaptiveBlock, tokens: Tensor, told: Tensor) -> Tensor:
    """Section 3.2 of the paper for one case, token by token and head by head."""

    def norm(x: Tensor) -> Tensor:
        return (x - x.mean()) / ((x - x.mean()).square().mean() + 1e-6).sqrt()

    width, heads = tokens.shape[1], block.attention.heads
    six = block.modulate.weight @ told + block.modulate.bias
    b1, g1, a1, b2, g2, a2 = (six[k * width : (k + 1) * width] for k in range(6))
    h = [norm(token) * (1 + g1) + b1 for token in tokens]
    layers = block.attention
    out = []
    for token, one in zip(tokens, h, strict=True):
        seen = []
        for head in range(heads):
            part = slice(head * width // heads, (head + 1) * width // heads)
            query = (layers.query.weight @ one + layers.query.bias)[part]
            keys = [(layers.key.weight @ other)[part] for other in h]
            values = [(layers.value.weight @ other + layers.value.bias)[part] for other in h]
            powers = [math.exp(float(query @ key) / math.sqrt(width / heads)) for key in keys]
            seen.append(sum(p * v for p, v in zip(powers, values, strict=True)) / sum(powers))
        token = token + a1 * (layers.out.weight @ torch.cat(seen) + layers.out.bias)
        inner = block.widen.weight @ (norm(token) * (1 + g2) + b2) + block.widen.bias
        cubic = math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3)
        inner = 0.5 * inner * (1 + cubic.tanh())
        out.append(token + a2 * (block.narrow.weight @ inner + block.narrow.bias))
    return torch.stack(out)


def test_the_block_is_that_of_the_paper() -> None:
    block = noisy(AdaptiveBlock(8, 2, 5))
    tokens, told = normal(2, 6, 8), normal(2, 5, seed=1)
    expected = torch.stack([slow_block(block, x, y) for x, y in zip(tokens, told, strict=True)])
    torch.testing.assert_close(block(tokens, told), expected)


def test_an_untrained_block_is_the_identity_and_an_untrained_network_zero() -> None:
    tokens = torch.randn(2, 6, 8)
    assert torch.equal(AdaptiveBlock(8, 2, 5)(tokens, torch.randn(2, 5)), tokens)
    network = DiT(channels_in=1, channels_out=2, takes_level=True, width=8, n_layers=2, heads=2)
    assert not network(torch.randn(2, 1, 8, 8), torch.ones(2)).any()


def test_without_places_patches_are_a_set() -> None:
    network = noisy(DiT(channels_in=1, channels_out=1, takes_level=True, width=8, heads=2))
    x, level = normal(2, 1, 8, 6), torch.tensor([0.1, 2.0]).double()

    def rolled(y: Tensor) -> Tensor:
        return y.roll((2, 4), (2, 3))  # by whole patches of 2

    assert not torch.allclose(network(rolled(x), level), rolled(network(x, level)))
    torch.nn.init.zeros_(network.places.mix.weight)
    torch.testing.assert_close(network(rolled(x), level), rolled(network(x, level)))


def test_a_constant_condition_is_told_to_every_block() -> None:
    network = noisy(DiT(channels_in=1, channels_out=1, condition_channels=2, width=8, heads=2))
    with torch.no_grad():  # the stem sees the image alone: channels, then places in a patch
        network.stem.weight[:, 4:] = 0
    x = normal(1, 1, 6, 6).expand(2, -1, -1, -1)
    classes = torch.eye(2).double()[:, :, None, None].expand(-1, -1, 6, 6)
    y = network(x, None, classes)
    assert (y[0] - y[1]).abs().max() > 1e-3
    mean_alone = classes.clone()
    mean_alone[:, :, ::2], mean_alone[:, :, 1::2] = 2 * classes[:, :, ::2], 0
    torch.testing.assert_close(network(x, None, mean_alone), y)


@pytest.mark.parametrize("dims", [2, 3])
def test_along_axes_it_keeps_the_contract(dims: int) -> None:
    x = normal(2, 1, *((9, 8) if dims == 2 else (5, 4, 6))).float()
    network = DiT(
        channels_in=1, channels_out=3, dims=dims, takes_level=True,
        width=8, n_layers=dims, heads=2, attention="axial",
    )  # fmt: skip
    check_network(network, x, torch.tensor([0.2, -3.0]))


def test_along_axes_a_patch_reaches_its_line_first_and_then_all() -> None:
    def reached(n_layers: int) -> Tensor:
        network = noisy(
            DiT(
                channels_in=1, channels_out=1, patch=1,
                width=8, n_layers=2, heads=2, attention="axial",
            )
        )  # fmt: skip
        network.blocks = network.blocks[:n_layers]
        x = normal(1, 1, 4, 5)
        other = x.clone()
        other[..., 1, 2] += 1
        return (network(x) - network(other))[0, 0].abs() > 1e-12

    line = torch.zeros(4, 5, dtype=torch.bool)
    line[:, 2] = True  # the first axis
    assert torch.equal(reached(1), line)
    assert reached(2).all()


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="heads share evenly, got width 10 and heads 4"):
        DiT(channels_in=1, channels_out=1, width=10)
    with pytest.raises(InputError, match=r"patches of at least one voxel.*got patch 0"):
        DiT(channels_in=1, channels_out=1, patch=0)
    with pytest.raises(InputError, match="a layer for every axis of space"):
        DiT(channels_in=1, channels_out=1, dims=3, n_layers=2, attention="axial")
