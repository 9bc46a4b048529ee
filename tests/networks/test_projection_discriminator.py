"""What the projection discriminator promises beyond the contract."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import ProjectionDiscriminator
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_features_end_with_the_logits_and_halve_before() -> None:
    network = ProjectionDiscriminator(channels_in=1, condition_channels=2, width=4, levels=3)
    x, classes = noise(2, 1, 14, 16), torch.eye(2)
    features = network.features(x, None, classes)
    shapes = [tuple(each.shape[1:]) for each in features]
    assert shapes == [(8, 8, 8), (16, 4, 4), (16, 4, 4), (1,)]
    assert torch.equal(features[-1], network(x, None, classes))


def test_a_logit_is_linear_in_features_plus_the_projection_of_the_class() -> None:
    network = ProjectionDiscriminator(channels_in=1, condition_channels=3, width=4, levels=2)
    x, condition = noise(2, 1, 8, 8), noise(2, 3, 5, 7, seed=1)
    *_, lowest, logits = network.features(x, None, condition)
    assert network.embed is not None
    for case in range(2):
        pooled = nn.functional.leaky_relu(lowest[case], 0.2).mean((1, 2))
        # the mean over space, by hand
        class_ = condition[case].sum((1, 2)) / 35
        projection = (network.embed.weight @ class_) @ pooled
        wanted = network.last.weight[0] @ pooled + network.last.bias[0] + projection
        assert logits[case, 0].item() == pytest.approx(wanted.item(), abs=1e-5)


@pytest.mark.parametrize("options", [{}, {"spectral_norm": True}], ids=str)
def test_a_gradient_penalty_is_of_one_case(options: dict[str, bool]) -> None:
    """The gradient of the sum of all logits is each case's own, also while training."""
    network = ProjectionDiscriminator(channels_in=1, width=4, levels=2, **options).train()  # type: ignore[arg-type]
    x = noise(3, 1, 8, 8).requires_grad_()
    if options:
        network.eval()  # the power iteration goes on in train mode
    (together,) = torch.autograd.grad(network(x).sum(), x)
    for case in range(3):
        alone = x[case : case + 1].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(network(alone).sum(), alone)
        assert torch.allclose(together[case : case + 1], gradient, atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_spectral_norm_holds_the_largest_singular_value_at_one(dims: int) -> None:
    network = ProjectionDiscriminator(
        channels_in=1,
        dims=dims,  # type: ignore[arg-type]
        condition_channels=2,
        width=4,
        levels=2,
        spectral_norm=True,
    )
    x, classes = noise(2, 1, *[4] * dims), torch.eye(2)
    for _ in range(100):
        network(x, None, classes)
    network.eval()
    kinds = (nn.Linear, nn.Conv2d, nn.Conv3d)
    layers = [each for each in network.modules() if isinstance(each, kinds)]
    assert len(layers) == 1 + 2 * 3 + 2
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        assert largest.item() == pytest.approx(1, abs=1e-2)


def test_batch_deviation_tells_one_image_drawn_twice_from_two() -> None:
    network = ProjectionDiscriminator(channels_in=1, width=4, levels=2, batch_deviation=True)
    check_network(network, noise(2, 1, 8, 8), shape=(2, 1), batch_independent=False)
    seen: list[Tensor] = []
    network.lowest.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x = noise(4, 1, 8, 8)
    network(x)
    network(x[:1].expand(4, 1, 8, 8))
    # the standard deviation over the batch of every feature, averaged, by hand
    spread = seen[0][:, :8].std(0, unbiased=False).mean()
    assert torch.allclose(seen[0][:, 8], spread.expand(4, 4, 4), atol=1e-4)
    assert seen[1][:, 8].max().item() == pytest.approx(1e-4, rel=1e-3)


def test_it_learns_classes_that_only_the_pair_gives_away() -> None:
    """Images up or down, told up or down: right pairs are real, wrong ones are not."""
    torch.manual_seed(0)
    network = ProjectionDiscriminator(channels_in=1, condition_channels=2, width=4, levels=2)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(60):
        up = torch.randint(2, (16,))
        real = torch.randint(2, (16,))
        told = torch.where(real.bool(), up, 1 - up)
        x = torch.randn(16, 1, 4, 4) + (2.0 * up - 1)[:, None, None, None]
        logits = network(x, None, torch.eye(2)[told])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, real.float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="at least one level"):
        ProjectionDiscriminator(channels_in=1, levels=0)
