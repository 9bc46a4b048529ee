from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.objectives import UnpairedContrastive
from vesalius.generative.objectives.objective import require_networks
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.patch_projection import PatchProjection
from vesalius.networks.resnet_generator import ResnetGenerator


class Looking(nn.Module):
    """Features of a place: its voxel as an angle."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x

    def features(self, x: Tensor) -> list[Tensor]:
        return [torch.cat([torch.cos(x), torch.sin(x)], dim=1)] * 2


def itself(places: list[Tensor]) -> list[Tensor]:
    return places


def test_patch_nce_by_hand() -> None:
    """Vectors at angles: products are cosines of differences."""
    objective = UnpairedContrastive(places=100, temperature=0.5)
    image = torch.tensor([0.0, 1.0, 2.0, 3.0]).view(1, 1, 2, 2)
    drawn = image + torch.tensor([0.1, -0.2, 0.3, 0.0]).view(1, 1, 2, 2)
    networks = {"generator": Looking(), "projection": itself}
    found = objective.patch_nce(networks, image, drawn, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    total = 0.0
    for a, own in zip(drawn.flatten().tolist(), image.flatten().tolist(), strict=True):
        alike = [math.cos(a - b) / 0.5 for b in image.flatten().tolist()]
        total += math.log(sum(map(math.exp, alike))) - math.cos(a - own) / 0.5
    assert float(found.detach()) == pytest.approx(total / 4, rel=1e-5)


def test_places_are_found_within_an_image_not_across_a_batch() -> None:
    objective = UnpairedContrastive(places=100)
    rng = torch.Generator().manual_seed(0)
    images = 3 * torch.rand(3, 1, 4, 4, generator=rng)
    networks = {"generator": Looking(), "projection": itself}

    def paid(image: Tensor, drawn: Tensor) -> float:
        found = objective.patch_nce(networks, image, drawn, torch.Generator().manual_seed(1))  # type: ignore[arg-type]
        return float(found.detach())

    single = [paid(images[k : k + 1], images[k : k + 1] + 0.1) for k in range(3)]
    assert paid(images, images + 0.1) == pytest.approx(sum(single) / 3, rel=1e-5)
    assert paid(images, images.flip(2)) > paid(images, images + 0.1) + 1


def networks() -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {
            "generator": ResnetGenerator(channels_in=1, channels_out=1, width=4, n_blocks=2),
            "projection": PatchProjection(width=4, features=8),
            "critic": PatchDiscriminator(channels_in=1, width=4, n_layers=1),
        }


def batch(n: int = 2) -> Batch:
    rng = torch.Generator().manual_seed(0)
    given = torch.rand(n, 1, 16, 16, generator=rng)
    return Batch(wanted=1 - given, given=given, cases=tuple(map(str, range(n))))


def test_players_reach_their_own_networks_alone() -> None:
    objective, built = UnpairedContrastive(), networks()
    require_networks(objective, built)
    carry: dict[str, Tensor] = {"done": torch.tensor(0.0)}
    for player, names in objective.players().items():
        for name, network in built.items():
            network.zero_grad(set_to_none=True)
            network.requires_grad_(name in names)
        rng = torch.Generator().manual_seed(0)
        losses = objective.loss(player, built, batch(), rng, carry)
        losses.total.backward()
        for name, network in built.items():
            reached = [p.grad is not None for p in network.parameters()]
            assert all(reached) if name in names else not any(reached)
    assert not carry["drawn"].requires_grad
    alone = UnpairedContrastive(identity=0.0)
    terms = alone.loss("generator", built, batch(), torch.Generator().manual_seed(0), carry)
    assert set(terms.values()) == {"adversarial", "contrastive"}


def test_wanted_images_are_those_of_other_cases() -> None:
    objective, seen = UnpairedContrastive(), []
    built = networks()
    case = batch(3)
    built["critic"].register_forward_hook(lambda module, args, out: seen.append(args[0]))
    drawn = {"drawn": torch.zeros(3, 1, 16, 16)}
    objective.loss("critic", built, case, torch.Generator(), drawn)
    assert case.wanted is not None
    assert any(torch.equal(one, case.wanted[[2, 0, 1]]) for one in seen)


def test_patch_nce_alone_teaches_a_generator_to_keep_places() -> None:
    objective, built = UnpairedContrastive(places=64, identity=0.0), networks()
    parameters = [*built["generator"].parameters(), *built["projection"].parameters()]
    optimiser = torch.optim.Adam(parameters, 3e-3)
    given = batch(4).given
    assert given is not None

    def paid(seed: int) -> Tensor:
        rng = torch.Generator().manual_seed(seed)
        return objective.patch_nce(built, given, built["generator"](given), rng)

    before = float(paid(99).detach())
    for step in range(25):
        optimiser.zero_grad()
        paid(step).backward()
        optimiser.step()
    assert float(paid(99).detach()) < before - 0.5


def test_features_of_the_generator_and_their_projection() -> None:
    built = networks()
    generator, projection = built["generator"], built["projection"]
    assert isinstance(generator, ResnetGenerator)
    image = torch.rand(2, 1, 14, 16)
    features = generator.features(image)
    shapes = [tuple(feature.shape[1:]) for feature in features]
    assert shapes == [(4, 16, 16), (8, 8, 8), (16, 4, 4), (16, 4, 4), (16, 4, 4)]
    again = generator.layers[9 + 2 :](features[-1])
    assert torch.allclose(torch.tanh(again)[:, :, 1:15], generator(image), atol=1e-6)
    vectors = projection([feature.flatten(2).transpose(1, 2) for feature in features])
    assert [tuple(one.shape) for one in vectors][:2] == [(2, 256, 8), (2, 64, 8)]
    assert all(torch.allclose(one.norm(dim=-1), torch.ones(1), atol=1e-4) for one in vectors)
    with pytest.raises(InputError, match=r"feature maps of 4, 8, 16, 16, 16 channels, got 3"):
        projection([torch.zeros(1, 2, 3)])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="two places or more"):
        UnpairedContrastive(places=1)
    with pytest.raises(InputError, match="as many channels given as wanted"):
        UnpairedContrastive().interfaces(2, 1)
    with pytest.raises(InputError, match="at least two cases"):
        UnpairedContrastive().loss("generator", networks(), batch(1), torch.Generator(), {})
