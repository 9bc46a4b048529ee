"""What the fast U-Net promises beyond the contract."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import UNet, count_parameters
from vesalius.networks.residual_block import ResidualBlock, group_norm
from vesalius.networks.self_attention import SelfAttention
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def awake(network: nn.Module) -> nn.Module:
    """Give the last convolution something to say."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"patch": 2, "multipliers": (1, 2)},
        {"patch": 4, "multipliers": (1, 2)},
        {"attention": True, "multipliers": (1, 2, 3), "dropout": 0.2},
        {"n_blocks": 2, "multipliers": (2,)},
    ],
    ids=str,
)
def test_contract_with_every_option(dims: Literal[2, 3], options: dict[str, Any]) -> None:
    network = UNet(channels_in=1, channels_out=2, dims=dims, width=4, takes_level=True, **options)
    space = (14, 16) if dims == 2 else (8, 9, 12)
    check_network(network, noise(2, 1, *space), torch.tensor([0.1, 0.9]))


def test_untrained_returns_zero() -> None:
    network = UNet(channels_in=1, channels_out=2, width=4)
    assert not network(noise(2, 1, 16, 16)).any()


def test_the_patch_makes_a_large_image_as_cheap_as_a_small_one() -> None:
    seen: list[tuple[int, ...]] = []

    def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen.append(tuple(output.shape))

    for patch in (1, 2, 4):
        network = UNet(channels_in=1, channels_out=1, width=4, patch=patch)
        network.stem.register_forward_hook(note)
        assert network(noise(1, 1, 16 * patch, 32 * patch)).shape == (1, 1, 16 * patch, 32 * patch)
    assert seen == [(1, 4, 16, 32)] * 3


def test_odd_sizes_are_mirrored_and_cropped() -> None:
    network = awake(UNet(channels_in=1, channels_out=1, width=4))
    x = noise(1, 1, 13, 16)
    mirrored = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 2), (0, 0)), mode="reflect")
    wanted = network(torch.from_numpy(mirrored))[:, :, 1:14]
    assert torch.equal(network(x), wanted)
    assert wanted.std() > 0


def test_a_skip_carries_each_resolution_past_the_middle() -> None:
    """With nothing coming from below, a block on the way up sees what came down to it."""
    network = awake(UNet(channels_in=1, channels_out=1, width=4, multipliers=(1, 2, 4)))
    assert isinstance(network, UNet)
    x = noise(1, 1, 16, 16)
    came: list[Tensor] = []
    left: list[Tensor] = []
    for up, down, grow in zip(network.up, network.down, network.grow, strict=True):
        with torch.no_grad():
            for parameter in grow.parameters():
                parameter.zero_()
        up.register_forward_pre_hook(lambda module, inputs: came.append(inputs[0]))
        down.register_forward_hook(lambda module, inputs, output: left.append(output))
    network(x)
    assert [tuple(each.shape[1:]) for each in left] == [(4, 16, 16), (8, 8, 8)]
    for above, below in zip(reversed(came), left, strict=True):
        assert torch.equal(above, below)


def test_dropout_is_for_training_only() -> None:
    network = awake(UNet(channels_in=1, channels_out=1, width=4, dropout=0.5))
    x = noise(1, 1, 16, 16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert torch.equal(network(x), network(x))
        network.train()
        assert not torch.equal(network(x), network(x))


def test_parameters_by_hand() -> None:
    network = UNet(channels_in=2, channels_out=3, width=4, multipliers=(1, 2), condition_channels=1)
    block = lambda c: 2 * (9 * c * c + c) + 2 * 2 * c  # noqa: E731
    stem_and_last = (9 * 3 * 4 + 4) + 2 * 4 + (9 * 4 * 3 + 3)
    down_and_up = (4 * 4 * 8 + 8) + (4 * 8 * 4 + 4)
    assert count_parameters(network) == stem_and_last + down_and_up + 2 * block(4) + block(8)


def test_attention_is_softmax_of_products_and_knows_no_places() -> None:
    layer = SelfAttention(64).eval()
    x = noise(2, 64, 3, 4)
    tokens = layer.norm(x).flatten(2).transpose(1, 2)
    heads = []
    for head in range(2):
        part = slice(32 * head, 32 * head + 32)
        query, key, value = (
            each(tokens)[..., part] for each in (layer.query, layer.key, layer.value)
        )
        heads.append(torch.softmax(query @ key.mT / 32**0.5, dim=-1) @ value)
    wanted = x + layer.out(torch.cat(heads, -1)).transpose(1, 2).reshape(x.shape)
    assert torch.allclose(layer(x), wanted, atol=1e-5)
    assert torch.allclose(layer(x.flip(2, 3)), layer(x).flip(2, 3), atol=1e-5)


def test_a_block_without_convolution_is_the_identity_and_film_is_affine() -> None:
    block = ResidualBlock(4, 2, level_features=3)
    x, embedding = noise(2, 4, 5, 5), noise(2, 3)
    with torch.no_grad():
        block.second.weight.zero_()
        block.second.bias.zero_()  # type: ignore[union-attr]
        assert torch.equal(block(x, embedding), x)
        # the second convolution picks the middle voxel; the first gives zeros, so that only the
        # shift of each channel is left to be activated
        block.second.weight[:, :, 1, 1] = torch.eye(4)
        block.first.weight.zero_()
        block.first.bias.zero_()  # type: ignore[union-attr]
        assert block.film is not None
        shift = block.film(embedding)[:, 4:, None, None]
        wanted = x + torch.nn.functional.silu(shift)
        assert torch.allclose(block(x, embedding), wanted, atol=1e-6)
        # a scale and a shift of zero leave what was normalised as it is
        block.first.weight[:, :, 1, 1] = torch.eye(4)
        block.film.weight.zero_()
        block.film.bias.zero_()
        once = block.second_norm(torch.nn.functional.silu(block.first_norm(x)))
        wanted = x + torch.nn.functional.silu(once)
        assert torch.allclose(block(x, embedding), wanted, atol=1e-6)


def test_groups_hold_at_least_four_channels() -> None:
    assert [group_norm(c).num_groups for c in (1, 4, 6, 12, 24, 36, 256)] == [1, 1, 1, 3, 6, 6, 8]


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="at least one resolution"):
        UNet(channels_in=1, channels_out=1, multipliers=())


def test_it_learns_to_denoise_and_to_tell_levels() -> None:
    """Of ``level * blob``, given the blob and the level: impossible without both."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = UNet(channels_in=1, channels_out=1, width=8, multipliers=(1, 2), takes_level=True)
        optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
        for _ in range(150):
            x, level = torch.randn(8, 1, 8, 8), torch.rand(8)
            loss = (network(x, level) - level[:, None, None, None] * x).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    # a network blind to the level could do no better than var(level) = 1/12
    assert loss.item() < 0.5 / 12
