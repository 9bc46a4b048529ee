"""What the deformation network promises beyond the contract."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import DeformationNetwork


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dims", [2, 3])
def test_untrained_moves_nothing(dims: Literal[2, 3]) -> None:
    network = DeformationNetwork(channels_in=1, channels_out=dims, dims=dims, width=4)
    y = network(noise(2, 1, *[9] * dims))
    assert y.shape == (2, dims, *[9] * dims)
    assert not y.any()


def test_a_pass_adds_its_correction_to_the_field_that_it_saw() -> None:
    options: dict[str, Any] = {"channels_in": 1, "channels_out": 2, "width": 4, "patch": 1}
    once = DeformationNetwork(**options, n_recursions=1)
    torch.nn.init.normal_(once.last.weight)
    thrice = DeformationNetwork(**options, n_recursions=3)
    thrice.load_state_dict(once.state_dict())
    x = noise(1, 1, 8, 8)
    field = torch.zeros(1, 2, 8, 8)
    for _ in range(3):
        h = once.stem(torch.cat([x, field], 1))
        for block in once.blocks:
            h = block(h, None)
        field = field + once.last(torch.nn.functional.silu(once.last_norm(h)))
        if _ == 0:
            assert torch.allclose(once(x), field, atol=1e-6)
    assert torch.allclose(thrice(x), field, atol=1e-5)


def test_a_block_sees_four_voxels_around_at_rates_one_and_three() -> None:
    network = DeformationNetwork(channels_in=1, channels_out=2, width=4, n_blocks=1).double()
    block = network.blocks[0]
    block.norm = torch.nn.Identity()  # a group's mean is of all voxels
    x = noise(1, 4, 11, 11).double().requires_grad_()
    block(x, None)[0, 0, 5, 5].backward()
    assert x.grad is not None
    seen = x.grad[0].abs().amax(0) > 0
    wanted = torch.zeros(11, 11).bool()
    for rate in (1, 3):
        for a in (-rate, 0, rate):
            for b in (-rate, 0, rate):
                wanted[5 + a, 5 + b] = True
    assert torch.equal(seen, wanted)


def test_between_the_middles_of_patches_the_displacement_is_a_straight_line() -> None:
    network = DeformationNetwork(channels_in=1, channels_out=2, width=4, patch=4, n_recursions=1)
    torch.nn.init.normal_(network.last.weight)
    y = network(noise(1, 1, 16, 16))
    # middles lie between voxels 1 and 2, 5 and 6, ...: voxels 2 to 5 are on one line
    bend = y.diff(n=2, dim=2).abs().amax((0, 1, 3))
    straight = torch.tensor([place % 4 in (2, 3) for place in range(14)])
    assert bend[straight].max().item() < 1e-4
    assert bend[~straight][1:-1].min().item() > 1e-3


def test_it_learns_a_shift_that_the_image_shows() -> None:
    torch.manual_seed(0)
    network = DeformationNetwork(channels_in=2, channels_out=2, width=8, n_blocks=2)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(80):
        shift = 2 * torch.randn(8, 2)
        row = torch.arange(8.0)[:, None].expand(8, 8) - 3.5
        both = torch.stack([row, row.T])[None]
        wanted = shift[:, :, None, None].expand(8, 2, 8, 8)
        x = (both + wanted) / 4
        loss = (network(x) - wanted).square().mean() / wanted.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.3


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="2 channels out, one an axis of space, got 3"):
        DeformationNetwork(channels_in=1, channels_out=3)
    with pytest.raises(InputError, match="at least one block"):
        DeformationNetwork(channels_in=1, channels_out=2, n_recursions=0)
