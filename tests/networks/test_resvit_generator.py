"""ResViT's blocks: where the transformer sits, that it is one, and how it joins."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import ResViTGenerator, count_parameters
from vesalius.networks.resnet_generator import InstanceResidualBlock, ResnetGenerator
from vesalius.networks.resvit_generator import _GridTransformer
from vesalius.testing.check_network import check_network

TINY: dict[str, Any] = {"width": 4, "hidden": 8, "n_layers": 1, "heads": 2}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def generator(**options: Any) -> ResViTGenerator:
    return ResViTGenerator(channels_in=1, channels_out=1, **{**TINY, **options})


def test_the_first_and_the_sixth_of_nine_blocks_share_one_transformer() -> None:
    network = generator(n_blocks=9).eval()
    order: list[str] = []
    for place, block in enumerate(network.blocks, start=1):
        block.register_forward_hook(lambda *_, name=f"block {place}": order.append(name))
    network.transformer.register_forward_hook(lambda *_: order.append("transformer"))
    network(noise(1, 1, 32, 32))
    expected = [f"block {place}" for place in range(1, 10)]
    expected.insert(5, "transformer")
    assert order == ["transformer", *expected]


@pytest.mark.parametrize("dims", [2, 3])
def test_parameters_of_the_transformer_are_there_once(dims: Any) -> None:
    five, six = generator(n_blocks=5, dims=dims), generator(n_blocks=6, dims=dims)
    block = count_parameters(InstanceResidualBlock(16, dims))
    branch = count_parameters(six.branches[1])
    assert count_parameters(six) - count_parameters(five) == block + branch


@pytest.mark.parametrize(("halvings", "grid"), [(1, (4, 6)), (2, (2, 3))])
def test_tokens_are_as_many_as_the_halvings_leave(halvings: int, grid: tuple[int, int]) -> None:
    network = generator(n_blocks=1, halvings=halvings)
    seen: list[tuple[int, ...]] = []
    network.transformer.register_forward_hook(lambda m, i, out: seen.append(tuple(out.shape)))
    network(noise(1, 1, 32, 48))
    assert seen == [(1, 8, *grid)]
    check_network(network, noise(2, 1, 21, 30))


def test_transformers_join_a_trained_network_and_leave_it_as_it_was() -> None:
    alone = generator(n_blocks=6, transformers=False)
    with torch.no_grad():
        for each in alone.blocks.parameters():
            each.add_(0.1 * noise(*each.shape))
    joined = generator(n_blocks=6)
    joined.load_state_dict(alone.state_dict())
    x = noise(2, 1, 24, 16)
    assert torch.allclose(joined(x), alone(x), rtol=0, atol=1e-5)
    # and from there they learn at once
    (joined(x) - noise(2, 1, 24, 16, seed=1)).square().mean().backward()
    with torch.no_grad():
        for branch in joined.branches:
            branch.compress.narrow.weight.sub_(10 * branch.compress.narrow.weight.grad)
    assert not torch.allclose(joined(x), alone(x), atol=1e-3)


def test_without_its_transformers_it_is_a_residual_generator() -> None:
    network = generator(n_blocks=6, transformers=False)
    twin = ResnetGenerator(channels_in=1, channels_out=1, width=4, n_blocks=6)
    own = [*network.down, *network.blocks, *network.up]
    for theirs, mine in zip(twin.layers, own, strict=True):
        theirs.load_state_dict(mine.state_dict())
    x = noise(2, 1, 24, 16)
    assert torch.allclose(network(x), twin(x), rtol=0, atol=1e-6)
    network(x).sum().backward()
    waiting = [*network.transformer.parameters(), *network.branches.parameters()]
    assert all(each.grad is None for each in waiting)


def test_a_transformer_sees_all_places_and_knows_them_by_its_positions_alone() -> None:
    transformer = _GridTransformer(8, 2, 2, 2).double()
    x, order = noise(1, 8, 3, 4).double(), torch.randperm(12)

    def shuffled(image: Tensor) -> Tensor:
        return image.flatten(2)[:, :, order].reshape(image.shape)

    assert not torch.allclose(transformer(shuffled(x)), shuffled(transformer(x)), atol=1e-3)
    torch.nn.init.zeros_(transformer.places.mix.weight)
    assert torch.allclose(transformer(shuffled(x)), shuffled(transformer(x)), rtol=0, atol=1e-12)
    other = x.clone()
    other[:, 0, 0, 0] += 1
    assert (transformer(other) - transformer(x)).abs().amax(1).min() > 1e-6


def test_bounded_is_the_hyperbolic_tangent_of_unbounded() -> None:
    free, bound = generator(n_blocks=1, bounded=False), generator(n_blocks=1)
    bound.load_state_dict(free.state_dict())
    x = 5 * noise(1, 1, 16, 16)
    assert torch.equal(bound(x), torch.tanh(free(x)))


@pytest.mark.parametrize("option", ["n_blocks", "n_layers", "halvings"])
def test_none_at_all_is_refused(option: str) -> None:
    with pytest.raises(InputError, match=f"ResViTGenerator.*{option} 0"):
        generator(**{option: 0})


def test_heads_share_the_features_evenly() -> None:
    with pytest.raises(InputError, match="width 10 and heads 4"):
        generator(hidden=10, heads=4)
