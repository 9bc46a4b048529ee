"""What discriminators and the classifier promise beyond the contract."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from vesalius.core.errors import InputError
from vesalius.networks import MultiScalePatchDiscriminator, PatchDiscriminator, SmallClassifier
from vesalius.networks.parameter_count import count_parameters
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("n_layers", "width_of_patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_patch_is_as_wide_as_in_the_paper(n_layers: int, width_of_patch: int) -> None:
    network = PatchDiscriminator(channels_in=1, width=2, n_layers=n_layers, norm="none")
    x = noise(1, 1, 96, 96).requires_grad_()
    logits = network(x)
    middle = logits.shape[2] // 2
    logits[0, 0, middle, middle].backward()
    assert x.grad is not None
    seen = x.grad[0, 0].nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [width_of_patch] * 2


def test_features_end_with_the_logits() -> None:
    network = PatchDiscriminator(channels_in=1, condition_channels=1, width=2, n_layers=2)
    x, condition = noise(2, 1, 24, 32), noise(2, 1, 24, 32, seed=1)
    features = network.features(x, None, condition)
    assert [each.shape[1] for each in features] == [2, 4, 8, 1]
    assert torch.equal(features[-1], network(x, None, condition))


def test_it_sees_the_pair() -> None:
    """What it is given is concatenated to what is drawn: MONAI's own network on both."""
    network = PatchDiscriminator(channels_in=1, condition_channels=2, width=2, n_layers=2)
    x, condition = noise(2, 1, 24, 24), noise(2, 2, 24, 24, seed=1)
    both = torch.cat([x, condition], 1)
    assert torch.equal(network(x, None, condition), network.layers(both)[-1])


def test_a_case_alone_is_judged_as_in_its_batch_while_training() -> None:
    network = PatchDiscriminator(channels_in=1, width=2, n_layers=2).train()
    x = noise(3, 1, 24, 24)
    assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_spectral_norm_holds_the_largest_singular_value_at_one(dims: int) -> None:
    options = {"channels_in": 1, "dims": dims, "width": 4, "n_layers": 1}
    network = PatchDiscriminator(**options, norm="none", spectral_norm=True)  # type: ignore[arg-type]
    x = noise(2, 1, *[8] * dims)
    check_network(network, x, shape=tuple(network(x).shape))
    for _ in range(300):
        network(x)
    network.eval()
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.Conv3d)]
    assert len(layers) == 3
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        assert largest.item() == pytest.approx(1, abs=1e-3)


def test_scales_are_discriminators_of_averaged_images() -> None:
    network = MultiScalePatchDiscriminator(channels_in=1, width=2, n_layers=1, n_scales=3)
    x = noise(2, 1, 40, 24)
    fine, middle, coarse = network.scales
    wanted = [fine(x), middle(avg_pool2d(x, 2)), coarse(avg_pool2d(x, 4))]
    logits = network(x)
    assert logits.shape == (2, 3, *wanted[0].shape[2:])
    for place, each in enumerate(wanted):
        repeated = interpolate(each, size=logits.shape[2:], mode="nearest")
        assert torch.allclose(logits[:, place : place + 1], repeated, atol=1e-5)
    assert len(network.features(x)) == 9


def test_the_classifier_averages_over_space_and_tells_levels() -> None:
    network = SmallClassifier(channels_in=1, channels_out=3, width=4, levels=1).eval()
    x = noise(2, 1, 8, 8)
    features = network.features(x)
    assert features.shape == (2, 4)
    assert torch.equal(network(x), network.head(features))
    # normalised over all places, so what is averaged is one image repeated as often as one likes
    inside: list[Tensor] = []
    network.last_norm.register_forward_hook(lambda m, inputs, output: inside.append(output))
    network(x)
    wanted = torch.nn.functional.silu(inside[0]).mean((2, 3))
    assert torch.allclose(features, wanted, atol=1e-6)


def test_the_classifier_learns() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SmallClassifier(channels_in=1, channels_out=2, width=4, levels=2)
        optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
        for _ in range(80):
            label = torch.randint(0, 2, (16,))
            x = torch.randn(16, 1, 8, 8)
            x[..., ::2] += label[:, None, None, None]
            loss = nn.functional.cross_entropy(network(x), label)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert loss.item() < 0.35


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="at least one scale"):
        MultiScalePatchDiscriminator(channels_in=1, n_scales=0)
    with pytest.raises(InputError, match="at least one level"):
        SmallClassifier(channels_in=1, channels_out=2, levels=0)


def test_shared_and_frozen_parameters_are_counted_as_such() -> None:
    layer = nn.Linear(3, 2)
    assert count_parameters(nn.Sequential(layer, nn.ReLU(), layer)) == 8
    layer.bias.requires_grad_(False)
    assert count_parameters(layer) == 6
