"""What the generators of the adversarial systems promise beyond the contract."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import Pix2PixUNet, ResnetGenerator, SegmentationUNet, SpadeGenerator
from vesalius.networks.spade_generator import Spade
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_pix2pix_draws_by_dropout_and_the_same_seed_draws_the_same() -> None:
    network = Pix2PixUNet(channels_in=1, channels_out=1, width=4, levels=3).eval()
    x = noise(2, 1, 16, 16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first, second = network(x), network(x)
        torch.manual_seed(0)
        assert torch.equal(network(x), first)
    assert (first - second).abs().amax((1, 2, 3)).min() > 1e-4
    network.dropout_at_test = False
    assert torch.equal(network(x), network(x))


def test_pix2pix_keeps_the_contract_while_it_draws() -> None:
    network = Pix2PixUNet(channels_in=1, channels_out=1, width=4, levels=4)
    check_network(network, noise(2, 1, 14, 19), batch_independent=False)


def test_pix2pix_goes_down_to_a_single_voxel() -> None:
    network = Pix2PixUNet(channels_in=1, channels_out=1, width=2, levels=5)
    lowest: list[Tensor] = []
    network.down[-1].register_forward_hook(lambda module, inputs, output: lowest.append(output))
    network(noise(1, 1, 32, 32))
    assert lowest[0].shape == (1, 16, 1, 1)


@pytest.mark.parametrize("kind", [Pix2PixUNet, ResnetGenerator, SpadeGenerator])
def test_bounded_is_the_hyperbolic_tangent_of_unbounded(kind: Any) -> None:
    options = {"channels_in": 1, "channels_out": 1, "width": 4}
    free = kind(**options, bounded=False)
    bound = kind(**options)
    bound.load_state_dict(free.state_dict())
    x = 5 * noise(1, 1, 32, 32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        wanted = torch.tanh(free(x))
        torch.manual_seed(0)
        assert torch.equal(bound(x), wanted)


def test_resnet_works_at_a_quarter_of_the_resolution() -> None:
    network = ResnetGenerator(channels_in=1, channels_out=1, dims=3, width=2, n_blocks=1)
    seen: list[tuple[int, ...]] = []
    for module in network.layers:
        module.register_forward_hook(lambda m, inputs, output: seen.append(tuple(output.shape)))
    network(noise(1, 1, 16, 8, 12))
    assert (1, 8, 4, 2, 3) in seen
    assert min(shape[2] for shape in seen) == 4


def test_spade_normalises_then_scales_and_shifts_by_the_mask() -> None:
    layer = Spade(8, 2, 4, 2)
    x = 3 + 2 * noise(2, 8, 6, 6)
    mask = torch.zeros(2, 2, 12, 12)
    mask[:, 0] = 1
    with torch.no_grad():
        layer.scale_shift.weight.zero_()
        bias = layer.scale_shift.bias
        assert bias is not None
        bias[:8], bias[8:] = 0.5, -1.0
        # two groups of four channels, by hand
        groups = x.reshape(2, 2, 4 * 36)
        spread = groups.var(2, unbiased=False, keepdim=True)
        normalised = (groups - groups.mean(2, keepdim=True)) / (spread + 1e-5).sqrt()
        assert torch.allclose(layer(x, mask), 1.5 * normalised.reshape(x.shape) - 1, atol=1e-5)


def test_spade_draws_what_is_where_the_mask_says() -> None:
    network = SpadeGenerator(
        channels_in=1, channels_out=1, condition_channels=1, width=4, levels=2, hidden=4
    ).eval()
    x, mask = noise(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    other = mask.clone()
    other[:, :, 4:8, 4:8] = 1
    change = (network(x, None, other) - network(x, None, mask)).abs()[0, 0]
    assert change[4:8, 4:8].mean() > 3 * change[20:, 20:].mean()


def test_spade_leaves_a_hippocampus_as_it_is() -> None:
    network = SpadeGenerator(channels_in=3, channels_out=1, dims=3, width=2, hidden=2)
    started: list[Tensor] = []
    network.start.register_forward_hook(lambda module, inputs, output: started.append(output))
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 40, 56, 40)).shape == (1, 1, 40, 56, 40)
    assert started[0].shape == (1, 16, 5, 7, 5)


def test_segmentation_options_and_every_parameter_once() -> None:
    network = SegmentationUNet(
        channels_in=1, channels_out=2, width=4, levels=3, residual=True, dropout=0.1
    )
    check_network(network, noise(2, 1, 16, 18))
    state = network.state_dict()
    assert len({value.data_ptr() for value in state.values()}) == len(state)


@pytest.mark.parametrize(
    ("kind", "levels"), [(Pix2PixUNet, 1), (SpadeGenerator, 0), (SegmentationUNet, 2)]
)
def test_too_few_levels_are_refused(kind: Any, levels: int) -> None:
    with pytest.raises(InputError, match=rf"{kind.__name__}: expected at least .* level"):
        kind(channels_in=1, channels_out=1, levels=levels)
