"""What the U-Net of CoreDiff promises beyond the contract."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import ErrorModulatedUNet

TINY: dict[str, Any] = {
    "channels_in": 1,
    "channels_out": 1,
    "condition_channels": 2,
    "takes_level": True,
    "width": 4,
    "n_convolutions": (1, 1, 2),
    "modulation_width": 4,
}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def woken(network: ErrorModulatedUNet) -> ErrorModulatedUNet:
    """With a last convolution that is not zero, as after a step of training."""
    with torch.no_grad():
        nn.init.kaiming_normal_(network.last.weight, nonlinearity="linear")
    return network


def test_untrained_modulation_changes_nothing_and_trained_does() -> None:
    network = woken(ErrorModulatedUNet(**TINY))
    x, level, condition = noise(2, 1, 13, 16), torch.tensor([0.1, 0.9]), noise(2, 2, 13, 16)
    plain = network(x, level)
    assert torch.equal(network(x, level, condition), plain)
    assert network.modulation is not None
    with torch.no_grad():
        for head in network.modulation.heads:
            nn.init.normal_(head.weight)  # type: ignore[arg-type]
    assert not torch.allclose(network(x, level, condition), plain, atol=1e-3)
    assert torch.equal(network(x, level), plain)


def test_an_embedding_e_becomes_e_plus_gamma_e_plus_beta_at_four_places() -> None:
    network = ErrorModulatedUNet(**TINY)
    level, condition = torch.tensor([0.1, 0.9]), noise(2, 2, 8, 8)
    modulation = network.modulation
    assert modulation is not None
    plain = network._told(level, None, 2)
    assert [each.shape[1] for each in plain] == [8, 16, 8, 4]
    with torch.no_grad():
        for head in modulation.heads:
            half = len(head.bias) // 2  # type: ignore[arg-type]
            head.bias[:half], head.bias[half:] = 0.5, -3.0  # type: ignore[index]
    for before, after in zip(plain, network._told(level, condition, 2), strict=True):
        assert torch.allclose(after, 1.5 * before - 3, atol=1e-6)


def test_a_level_is_added_to_what_comes_into_every_stage_but_the_first() -> None:
    network = ErrorModulatedUNet(**TINY)
    stages = [network.down[1], network.down[2], network.up[1], network.up[0]]
    came: dict[float, list[Tensor]] = {}
    now = 0.0

    def keep(module: nn.Module, inputs: Any) -> None:
        came.setdefault(now, []).append(inputs[0])

    x = noise(1, 1, 8, 8)
    with torch.no_grad():
        for tell in network.tell:
            tell.weight.zero_()  # type: ignore[union-attr, operator]
        for stage in network.down[1:]:
            stage[0].weight.zero_()  # type: ignore[index]
        for stage in stages:
            stage.register_forward_pre_hook(keep)
        network(x, torch.zeros(1))
        for tell in network.tell:
            tell.bias.add_(1)  # type: ignore[union-attr, operator]
        now = 1.0
        network(x, torch.zeros(1))
    # the first stage told sees the same features, and one more in each
    assert torch.allclose(came[1.0][0], came[0.0][0] + 1, atol=1e-6)
    assert len(came[0.0]) == 4


def test_the_signal_is_neither_lost_nor_blown_up_at_the_start() -> None:
    network = woken(ErrorModulatedUNet(channels_in=1, channels_out=1, takes_level=True))
    x = noise(4, 1, 32, 32)
    y = network(x, torch.full((4,), 0.5))
    assert 0.05 < y.std(0).mean().item() < 10


def test_without_a_condition_channel_none_is_taken() -> None:
    network = ErrorModulatedUNet(**TINY | {"condition_channels": 0})
    with pytest.raises(InputError, match="expected no condition"):
        network(noise(1, 1, 8, 8), torch.zeros(1), noise(1, 2, 8, 8))


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="a level, whose embedding"):
        ErrorModulatedUNet(**TINY | {"takes_level": False})
    with pytest.raises(InputError, match="two or more resolutions"):
        ErrorModulatedUNet(**TINY | {"n_convolutions": (1, 2)})
