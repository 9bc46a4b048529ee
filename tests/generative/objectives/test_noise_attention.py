"""A map of noise, and a network that reads it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.losses import L1, L2
from vesalius.generative.objectives import NoiseAttention


class Level(nn.Module):
    """Logits: ``scale`` (|given| - 1/2), of the first channel."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (x[:, :1].abs() - 0.5)


class Take(nn.Module):
    """The image, less a multiple of the map, which comes last."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1] - self.share * x[:, -1:]


def test_the_map_is_of_noise_above_the_threshold_and_the_image_knows_it() -> None:
    truth = torch.zeros(1, 1, 2, 2)
    given = torch.tensor([[[[0.9, 0.0], [-0.7, 0.3]]]])
    batch = Batch(wanted=truth, given=torch.cat([given, torch.full_like(given, 5.0)], dim=1))
    networks: dict[str, nn.Module] = {"attention": Level(2.0), "network": Take()}
    objective = NoiseAttention((L1(), L2(0.5)), threshold=0.4)
    found = objective.loss("attention", networks, batch, torch.Generator(), {}).values()
    logits = [2 * (abs(v) - 0.5) for v in (0.9, 0.0, -0.7, 0.3)]
    chance = [1 / (1 + math.exp(-z)) for z in logits]
    noisy = [1, 0, 1, 0]  # 0.3 is below the threshold
    entropy = -sum(math.log(p if n else 1 - p) for p, n in zip(chance, noisy, strict=True)) / 4
    overlap = 2 * (chance[0] + chance[2]) + 1
    assert found["binarycrossentropy"] == pytest.approx(entropy, rel=1e-5)
    assert found["dice"] == pytest.approx(1 - overlap / (sum(chance) + 2 + 1), rel=1e-5)
    drawn = [v - 0.25 * p for v, p in zip((0.9, 0.0, -0.7, 0.3), chance, strict=True)]
    image = objective.predictor(networks, batch)(None, None).detach()
    assert image.flatten().tolist() == pytest.approx(drawn)
    found = objective.loss("network", networks, batch, torch.Generator(), {}).values()
    assert found["l1"] == pytest.approx(sum(map(abs, drawn)) / 4)
    assert found["l2"] == pytest.approx(sum(v * v for v in drawn) / 4)


def test_restoring_does_not_bend_the_map() -> None:
    networks: dict[str, nn.Module] = {"attention": Level(2.0), "network": Take()}
    images = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    batch = Batch(wanted=images, given=1 - images)
    NoiseAttention().loss("network", networks, batch, torch.Generator(), {}).total.backward()
    assert next(networks["attention"].parameters()).grad is None
    assert next(networks["network"].parameters()).grad is not None


def test_its_networks() -> None:
    objective = NoiseAttention()
    interfaces = objective.interfaces(3, 1)
    assert (interfaces["attention"].channels_in, interfaces["attention"].channels_out) == (3, 1)
    assert (interfaces["network"].channels_in, interfaces["network"].channels_out) == (4, 1)
    assert set(objective.drawing()) == {
        n for trained in objective.players().values() for n in trained
    }
    with pytest.raises(InputError, match="threshold"):
        NoiseAttention(threshold=0.0)
