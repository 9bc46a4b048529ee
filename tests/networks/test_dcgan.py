"""What DCGAN's two networks promise, the generator's contract with it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import DcganDiscriminator, DcganGenerator
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("told", [0, 3], ids=["alone", "told"])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_vector_becomes_an_image(dims: Any, told: int) -> None:
    ones = [1] * dims
    generator = DcganGenerator(
        channels_in=5,
        channels_out=2,
        dims=dims,
        condition_channels=told,
        width=4,
        multipliers=(1, 2),
        extent=8,
    )
    condition = noise(3, told, *ones, seed=1) if told else None
    check_network(generator, noise(3, 5, *ones), None, condition, shape=(3, 2, *[8] * dims))
    assert generator.extent == (8,) * dims


def test_layers_are_those_of_the_paper() -> None:
    """Figure 1: 100 to 1024 x 4 x 4, halved in channels and doubled in extent up to 3 x 64 x 64."""
    with torch.device("meta"):
        generator = DcganGenerator(
            channels_in=100, channels_out=3, width=128, multipliers=(1, 2, 4, 8), extent=64
        )
    spread = [each for each in generator.layers if isinstance(each, nn.ConvTranspose2d)]
    assert [tuple(each.weight.shape) for each in spread] == [
        (100, 1024, 4, 4),
        (1024, 512, 4, 4),
        (512, 256, 4, 4),
        (256, 128, 4, 4),
        (128, 3, 4, 4),
    ]
    assert [each.stride[0] for each in spread] == [1, 2, 2, 2, 2]
    normalised = [each for each in generator.layers if isinstance(each, nn.BatchNorm2d)]
    assert [each.num_features for each in normalised] == [1024, 512, 256, 128]


def test_weights_start_at_a_fiftieth() -> None:
    torch.manual_seed(0)
    for network in (
        DcganGenerator(channels_in=50, channels_out=1, width=16),
        DcganDiscriminator(channels_in=1, width=16),
    ):
        kinds = (nn.Conv2d, nn.ConvTranspose2d)
        weights = [m.weight.flatten() for m in network.modules() if isinstance(m, kinds)]
        assert torch.cat(weights).std().item() == pytest.approx(0.02, rel=0.02)
        scales = [m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        assert torch.cat(scales).mean().item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("bound", [1.0, 1.5])
def test_images_stay_within_the_bound(bound: float) -> None:
    torch.manual_seed(0)
    generator = DcganGenerator(channels_in=4, channels_out=1, width=4, extent=16, bound=bound)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter *= 30
        most = generator(noise(8, 4, 1, 1)).abs().max().item()
    assert 0.95 * bound < most <= bound


def test_a_batch_is_normalised_by_itself_in_train_mode_only() -> None:
    torch.manual_seed(0)
    generator = DcganGenerator(channels_in=4, channels_out=1, width=4, extent=16)
    z = noise(4, 4, 1, 1)
    assert not torch.allclose(generator.train()(z)[:2], generator(z[:2]), atol=1e-4)
    assert torch.allclose(generator.eval()(z)[:2], generator(z[:2]), atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_an_image_of_the_extent_has_one_logit_and_larger_ones_more(dims: Any) -> None:
    network = DcganDiscriminator(channels_in=1, dims=dims, width=2, multipliers=(1, 2), extent=8)
    maps = network.features(noise(2, 1, *[8] * dims))
    assert [each.shape[2] for each in maps] == [4, 2, 1]
    assert network(noise(2, 1, *[5] * dims)).shape == (2, 1, *[1] * dims)
    assert network(noise(2, 1, *[8] * (dims - 1), 14)).shape == (2, 1, *[1] * (dims - 1), 3)


def test_without_normalisation_a_gradient_penalty_is_of_one_case() -> None:
    torch.manual_seed(0)
    x = noise(3, 1, 8, 8).requires_grad_()
    for normalise in (False, True):
        network = DcganDiscriminator(channels_in=1, width=4, extent=8, normalise=normalise).train()
        (together,) = torch.autograd.grad(network(x).sum(), x)
        alone = x[:1].detach().requires_grad_()
        if normalise:
            alone = torch.cat([alone, noise(2, 1, 8, 8, seed=1)]).detach().requires_grad_()
        (single,) = torch.autograd.grad(network(alone).sum(), alone)
        assert torch.allclose(together[:1], single[:1], atol=1e-7) is not normalise


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match=r"halved 3 times, got 28; change extent to a multiple of"):
        DcganGenerator(channels_in=4, channels_out=1, extent=28)
    with pytest.raises(InputError, match="an extent of 3 axes"):
        DcganDiscriminator(channels_in=1, dims=3, extent=(32, 32))
    with pytest.raises(InputError, match="a bound above zero"):
        DcganGenerator(channels_in=4, channels_out=1, bound=0.0)
    with pytest.raises(InputError, match="at least one multiplier"):
        DcganDiscriminator(channels_in=1, multipliers=())
    generator = DcganGenerator(channels_in=4, channels_out=1, width=2)
    with pytest.raises(InputError, match=r"codes on a grid of \(1, 1\), got \(2, 1\)"):
        generator(noise(1, 4, 2, 1))
    with pytest.raises(InputError, match=r"\(batch, 4, 2 axes of space\)"):
        generator(noise(1, 3, 1, 1))
