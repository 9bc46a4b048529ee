"""What encoder and decoder promise beyond the contract."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import Decoder, Encoder
from vesalius.testing.check_network import check_network

TO_A_VECTOR = (1, 1, 1, 1, 1, 1)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    "options", [{"attention": True, "n_blocks": 2}, {"multipliers": (1,), "dropout": 0.2}], ids=str
)
def test_contract_with_every_option(dims: Literal[2, 3], options: dict[str, Any]) -> None:
    options = {"channels_in": 1, "channels_out": 2, "dims": dims, "width": 4} | options
    factor = 1 if "multipliers" in options else 4
    level = torch.tensor([0.1, 0.9])
    x = noise(2, 1, *((8, 12) if dims == 2 else (4, 8, 8)))
    encoder = Encoder(**options, takes_level=True)
    check_network(encoder, x, level, shape=(2, 2, *(size // factor for size in x.shape[2:])))
    grid = noise(2, 1, *((3, 4) if dims == 2 else (2, 3, 2)))
    decoder = Decoder(**options, takes_level=True, bounded=True)
    check_network(decoder, grid, level, shape=(2, 2, *(size * factor for size in grid.shape[2:])))


@settings(max_examples=20, deadline=None)
@given(st.tuples(st.integers(1, 33), st.integers(1, 33)), st.integers(1, 4))
def test_the_grid_is_told_and_holds_the_image(space: tuple[int, int], resolutions: int) -> None:
    options: dict[str, Any] = {"width": 2, "multipliers": (1,) * resolutions, "channels_out": 1}
    encoder, decoder = Encoder(channels_in=1, **options), Decoder(channels_in=1, **options)
    code = encoder(torch.zeros(1, 1, *space))
    assert tuple(code.shape[2:]) == encoder.grid(space)
    for size, drawn in zip(space, decoder(code).shape[2:], strict=True):
        assert size <= drawn < size + encoder.reduction
    assert decoder.reduction == encoder.reduction == 2 ** (resolutions - 1)


def test_odd_sizes_are_mirrored() -> None:
    encoder = Encoder(channels_in=1, channels_out=3, width=4)
    x = noise(1, 1, 13, 16)
    mirrored = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 2), (0, 0)), mode="reflect")
    assert torch.equal(encoder(x), encoder(torch.from_numpy(mirrored)))


@pytest.mark.parametrize("dims", [2, 3])
def test_a_vector_draws_an_image_that_is_neither_constant_nor_a_checkerboard(
    dims: Literal[2, 3],
) -> None:
    options: dict[str, Any] = {"dims": dims, "width": 8, "multipliers": (1, 2, 2, 2, 2)}
    decoder = Decoder(channels_in=16, channels_out=1, **options)
    images = decoder(noise(8, 16, *[1] * dims))
    assert images.shape == (8, 1, *[16] * dims)
    # another vector is another image, and no image is flat
    assert images.std(0).mean() > 0.02
    assert images.flatten(1).std(1).min() > 0.05
    # of a step of one voxel within a repeated pair and of one between pairs, neither is larger
    inner = images[(..., *[slice(4, 12)] * dims)]
    for axis in range(2, 2 + dims):
        steps = inner.diff(dim=axis).square().transpose(axis, -1)
        within, between = steps[..., 0::2].mean(), steps[..., 1::2].mean()
        assert 0.5 < (within / between).item() < 2


def test_repeated_voxels_are_convolved_at_once() -> None:
    """What comes into a stage is of twice the size, and no longer in pairs that are alike."""
    decoder = Decoder(channels_in=2, channels_out=1, width=4, multipliers=(1, 2, 2))
    came: list[Tensor] = []
    for stage in decoder.stages[1:]:
        stage.register_forward_pre_hook(lambda module, inputs: came.append(inputs[0]))
    decoder(noise(1, 2, 3, 4))
    assert [tuple(each.shape[1:]) for each in came] == [(8, 6, 8), (4, 12, 16)]
    for each in came:
        assert (each[..., 0::2] - each[..., 1::2]).abs().amax((0, 1, 2)).min() > 1e-3


def test_an_image_goes_through_a_vector_and_every_parameter_moves_it() -> None:
    options: dict[str, Any] = {"width": 4, "multipliers": TO_A_VECTOR}
    encoder = Encoder(channels_in=1, channels_out=6, **options)
    assert encoder.grid((28, 28)) == (1, 1)
    check_network(encoder, noise(2, 1, 28, 28), shape=(2, 6, 1, 1))
    decoder = Decoder(channels_in=6, channels_out=1, condition_channels=2, **options)
    check_network(decoder, noise(2, 6, 1, 1), None, noise(2, 2, 1, 1, seed=1), shape=(2, 1, 32, 32))


def test_bounded_is_the_hyperbolic_tangent_of_unbounded() -> None:
    free = Decoder(channels_in=2, channels_out=1, width=4)
    bound = Decoder(channels_in=2, channels_out=1, width=4, bounded=True)
    bound.load_state_dict(free.state_dict())
    z = 5 * noise(2, 2, 3, 3)
    assert torch.equal(bound(z), torch.tanh(free(z)))
    assert free(z).any()


@pytest.mark.parametrize("kind", [Encoder, Decoder])
@pytest.mark.parametrize("options", [{"multipliers": ()}, {"n_blocks": 0}], ids=str)
def test_nonsense_is_refused(kind: type, options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"{kind.__name__}: expected at least one resolution"):
        kind(channels_in=1, channels_out=1, **options)


def test_together_they_learn_to_give_back_what_came_in() -> None:
    """Images that one number tells apart, through a vector of two."""
    torch.manual_seed(1)
    options: dict[str, Any] = {"width": 8, "multipliers": (1, 2, 2)}
    network = nn.Sequential(
        Encoder(channels_in=1, channels_out=2, **options),
        Decoder(channels_in=2, channels_out=1, **options),
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    ramp = torch.linspace(-1, 1, 4)
    losses = []
    for _ in range(80):
        x = (2 * torch.rand(16, 1, 1, 1) - 1) * ramp
        loss = (network(x) - x).square().mean() / x.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    # a decoder that is not told the number can do no better than one
    assert sum(losses[-10:]) / 10 < 0.3
