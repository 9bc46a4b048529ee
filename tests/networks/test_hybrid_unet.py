"""The hybrid U-Net: what is far is seen at full resolution, and a class is told."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.hybrid_unet import HybridStage, HybridUNet


def perturbed(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return network


def test_a_stage_sees_the_far_end_and_knows_places() -> None:
    stage = HybridStage(8, 2, heads=2, n_blocks=1, n_layers=1, told_features=4).double()
    for module in stage.modules():  # a norm over space would see far by itself
        if isinstance(module, nn.GroupNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
    told = torch.zeros(1, 4).double()
    x = torch.randn(1, 8, 12, 12, generator=torch.Generator().manual_seed(0)).double()
    other = x.clone()
    other[..., 0, 0] += 1

    def far(network: HybridStage) -> Tensor:
        return (network(x, told) - network(other, told))[..., 3:, 3:].abs().max()

    assert far(stage) > 1e-9
    same = x[..., :1, :1].expand(-1, -1, 12, 12)
    assert stage(same, told)[..., 4:8, 4:8].std((2, 3)).max() > 1e-6
    stage.far = nn.ModuleList()
    assert far(stage) == 0


def test_a_constant_condition_is_told_to_every_block() -> None:
    network = perturbed(HybridUNet(channels_in=1, channels_out=1, condition_channels=2, width=4))
    with torch.no_grad():
        network.stem.weight[:, 1:] = 0
    x = torch.randn(1, 1, 8, 8).expand(2, -1, -1, -1)
    classes = torch.eye(2)[:, :, None, None].expand(-1, -1, 8, 8)
    y = network(x, None, classes)
    assert (y[0] - y[1]).abs().max() > 1e-4


def test_an_untrained_network_is_zero() -> None:
    network = HybridUNet(channels_in=1, channels_out=1, takes_level=True, width=4, patch=2)
    assert not network(torch.randn(2, 1, 8, 8), torch.ones(2)).any()


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="heads share evenly, got width 6 and heads 4"):
        HybridUNet(channels_in=1, channels_out=1, width=6)
    with pytest.raises(InputError, match=r"one transformer block, got .* n_layers 0"):
        HybridUNet(channels_in=1, channels_out=1, n_layers=0)
