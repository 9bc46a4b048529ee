"""GANs from noise on images whose law is known."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Call, InputError, Recipe
from vesalius.generative.code_grid import code_grid, cropped, given_on_grid, reduction_of
from vesalius.generative.conditioning import Concatenation, SpatialCondition, Unconditional
from vesalius.generative.objectives import (
    AdaptiveAugmentation,
    AdversarialSynthesis,
    Objective,
    VariationalAdversarial,
)
from vesalius.generative.samplers import Direct, Prior
from vesalius.networks.multi_scale_patch_discriminator import MultiScalePatchDiscriminator
from vesalius.networks.projection_discriminator import ProjectionDiscriminator
from vesalius.networks.unet import UNet


def rng_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Affine(nn.Module):
    """A generator of 1 x 1 images: code to image by a line, told a condition."""

    reduction = 1

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.line = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.line(x if condition is None else torch.cat([x, condition], dim=1))


class Quadratic(nn.Module):
    """A critic that sees means and variances, of each class by itself."""

    def __init__(self, channels: int, classes: int = 0) -> None:
        super().__init__()
        self.kinds = max(classes, 1)
        self.line = nn.Linear(2 * channels, self.kinds)

    def features(self, x: Tensor, condition: Tensor | None = None) -> list[Tensor]:
        flat = x.flatten(1)
        logits = self.line(torch.cat([flat, flat.square()], dim=1))
        if condition is not None:
            logits = (logits * condition.flatten(2).mean(2)).sum(1, keepdim=True)
        return [flat.view_as(x), logits]

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.features(x, condition)[-1]


def fresh(make: Any, *arguments: Any) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module: nn.Module = make(*arguments)
    return module


def play(
    objective: Objective,
    networks: dict[str, nn.Module],
    batches: Any,
    steps: int,
    rate: float = 2e-2,
    first: int = 0,
    decay: bool = False,
) -> list[dict[str, float]]:
    """Train as the loop does."""
    optimisers = {
        player: torch.optim.Adam(
            [p for name in names for p in networks[name].parameters()], rate, betas=(0.0, 0.99)
        )
        for player, names in objective.players().items()
    }
    history = []
    for step in range(first, first + steps):
        for optimiser in optimisers.values():
            optimiser.param_groups[0]["lr"] = rate * (1 - (step - first) / steps if decay else 1)
        carry: dict[str, Tensor] = {"done": torch.tensor(step / steps)}
        values: dict[str, float] = {}
        for player, names in objective.players().items():
            for name, network in networks.items():
                network.requires_grad_(name in names)
            losses = objective.loss(player, networks, batches(step), rng_of(step), carry)
            optimisers[player].zero_grad()
            losses.total.backward()
            optimisers[player].step()
            assert not set(values) & set(losses.values()), "terms have names of their own"
            values |= losses.values()
        history.append(values)
    return history


def test_a_line_finds_the_mean_and_spread_of_a_gaussian() -> None:
    mean, spread = torch.tensor([0.4, -0.3]), 0.5

    def batches(step: int) -> Batch:
        real = mean + spread * torch.randn(256, 2, generator=rng_of(10_000 + step))
        return Batch(wanted=real.view(256, 2, 1, 1))

    objective = AdversarialSynthesis(channels=2, r1=0.5, conditioning=Unconditional())
    assert next(iter(objective.players())) == "generator"
    networks = {"generator": fresh(Affine, 2, 2), "critic": fresh(Quadratic, 2)}
    play(objective, networks, batches, 250, rate=3e-2, decay=True)
    predict = objective.predictor(networks, Batch(wanted=None))
    drawn = Prior().sample(predict, (5000, 2, 1, 1), rng_of(1)).detach().flatten(1)
    assert torch.allclose(drawn.mean(0), mean, atol=0.15)
    assert torch.allclose(drawn.std(0), torch.full((2,), spread), atol=0.15)


def test_each_class_finds_its_own_mean() -> None:
    means = torch.tensor([-0.6, 0.5])

    def batches(step: int) -> Batch:
        label = torch.arange(256) % 2
        real = means[label] + 0.2 * torch.randn(256, generator=rng_of(10_000 + step))
        given = torch.nn.functional.one_hot(label, 2).float().view(256, 2, 1, 1)
        return Batch(wanted=real.view(256, 1, 1, 1), given=given)

    objective = AdversarialSynthesis(channels=1, r1=0.5)
    interfaces = objective.interfaces(given=2, wanted=1)
    assert interfaces["generator"].channels_in == 3
    assert interfaces["critic"].condition_channels == 2
    networks = {"generator": fresh(Affine, 3, 1), "critic": fresh(Quadratic, 1, 2)}
    play(objective, networks, batches, 250, rate=3e-2, decay=True)
    for label in (0, 1):
        given = torch.zeros(2000, 2, 1, 1)
        given[:, label] = 1
        predict = objective.predictor(networks, Batch(wanted=None, given=given))
        drawn = Prior().sample(predict, (2000, 1, 1, 1), rng_of(1))
        assert float(drawn.detach().mean()) == pytest.approx(float(means[label]), abs=0.15)


@pytest.mark.parametrize(
    ("conditioning", "generator", "critic"),
    [
        (Concatenation(), (7, 0), 3),
        (SpatialCondition(), (7, 3), 3),
        (Unconditional(), (4, 0), 0),
    ],
    ids=["concatenation", "spatial", "unconditional"],
)
def test_who_is_told_what(conditioning: Any, generator: tuple[int, int], critic: int) -> None:
    for objective in (
        AdversarialSynthesis(channels=4, conditioning=conditioning),
        VariationalAdversarial(channels=4, conditioning=conditioning),
    ):
        found = objective.interfaces(given=3, wanted=1)
        drawing = found["generator" if "generator" in found else "decoder"]
        assert (drawing.channels_in, drawing.condition_channels) == generator
        assert drawing.channels_out == 1
        assert (found["critic"].channels_in, found["critic"].condition_channels) == (1, critic)


class Repeat(Affine):
    """A generator that repeats its code four times along each axis."""

    reduction = 4

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(nn.functional.interpolate(x, scale_factor=4.0), condition)


@pytest.mark.parametrize("critic", [ProjectionDiscriminator, MultiScalePatchDiscriminator])
def test_critics_of_the_house_and_odd_sizes(critic: Any) -> None:
    objective = AdversarialSynthesis(
        channels=2,
        r1=1.0,
        gradient_penalty=1.0,
        critic_steps=3,
        augmentation=AdaptiveAugmentation(),
    )
    assert objective.augmentation is not None
    objective.augmentation.probability = 0.5
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks: dict[str, nn.Module] = {
            "generator": Repeat(4, 1),
            "critic": critic(channels_in=1, condition_channels=2, width=4),
        }
    given = torch.rand(3, 2, 13, 18, generator=rng_of(0))
    batch = Batch(wanted=torch.rand(3, 1, 13, 18, generator=rng_of(1)), given=given)
    (values,) = play(objective, networks, lambda step: batch, 1)
    assert {"adversarial", "critic", "critic_2", "r1_3", "gradient_penalty_2"} <= set(values)
    assert all(math.isfinite(value) for value in values.values())
    for player in objective.players():
        carry = {"drawn": torch.zeros(3, 1, 13, 18)}
        for network in networks.values():
            network.requires_grad_(True)
            network.zero_grad()
        objective.loss(player, networks, batch, rng_of(0), carry).total.backward()
        trained = networks["generator" if player == "generator" else "critic"]
        # an offset of the critic's logits is worth nothing to a balanced loss, to rounding
        assert all(p.grad is not None for p in trained.parameters())
    shape = objective.code_shape(networks, (3, 1, 13, 18))
    assert shape == (3, 2, 4, 5)
    code = Prior().sample(objective.predictor(networks, batch), shape, rng_of(0))
    assert objective.decode(networks, code, batch, (13, 18)).shape == (3, 1, 13, 18)


def test_later_steps_of_the_critic_meet_fresh_draws() -> None:
    seen: list[Tensor] = []

    class Watching(Quadratic):
        def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
            seen.append(x.detach().clone())
            return super().forward(x, condition)

    objective = AdversarialSynthesis(channels=1, critic_steps=2, conditioning=Unconditional())
    networks = {"generator": fresh(Affine, 1, 1), "critic": Watching(1)}
    real = torch.rand(6, 1, 1, 1, generator=rng_of(0))
    play(objective, networks, lambda step: Batch(wanted=real), 1)
    generator, real_1, drawn_1, real_2, drawn_2 = seen
    assert torch.equal(generator, drawn_1), "the first judges what was just drawn"
    assert torch.equal(real_1, real)
    assert torch.equal(real_2, real)
    assert not torch.allclose(drawn_1, drawn_2)


def few(step: int) -> Batch:
    """Always the same eight images."""
    return Batch(wanted=torch.randn(8, 1, 8, 8, generator=rng_of(0)).clamp(-1, 1))


class Image(nn.Module):
    """A generator of 8 x 8 images."""

    reduction = 8

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(4, 64)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.line(x.flatten(1)).tanh().view(-1, 1, 8, 8)


class Learner(nn.Module):
    """A critic with weights enough to know eight images by heart."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
        )

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


def small_gan() -> tuple[AdversarialSynthesis, dict[str, nn.Module]]:
    objective = AdversarialSynthesis(
        channels=4,
        conditioning=Unconditional(),
        augmentation=AdaptiveAugmentation(pace_images=400, limit=0.8),
    )
    return objective, {"generator": fresh(Image), "critic": fresh(Learner)}


def test_augmentation_rises_as_a_critic_learns_images_by_heart() -> None:
    objective, networks = small_gan()
    history = play(objective, networks, few, 60, rate=5e-3)
    chance = [values["augmentation_probability"] for values in history]
    assert chance[0] <= 0.02
    assert max(chance) > 0.3
    assert objective.augmentation is not None
    assert objective.augmentation.probability == pytest.approx(chance[-1])


def test_augmentation_goes_on_exactly_where_it_was() -> None:
    whole, whole_networks = small_gan()
    play(whole, whole_networks, few, 20, rate=5e-3)
    part = small_gan()[0]
    part.restore({name: tensor.clone() for name, tensor in whole.state().items()})
    networks = small_gan()[1]
    for name, network in networks.items():
        network.load_state_dict(whole_networks[name].state_dict())
    forgetful = small_gan()[0]
    others = small_gan()[1]
    for name, network in others.items():
        network.load_state_dict(whole_networks[name].state_dict())
    on = play(whole, whole_networks, few, 5, rate=5e-3, first=20)
    assert play(part, networks, few, 5, rate=5e-3, first=20) == on
    assert play(forgetful, others, few, 5, rate=5e-3, first=20) != on
    assert AdversarialSynthesis().state() == {}


def test_a_wasserstein_critic_cannot_steer_augmentation() -> None:
    with pytest.raises(InputError, match=r"set objective\.kind='logistic'"):
        AdversarialSynthesis(kind="wasserstein", augmentation=AdaptiveAugmentation())
    with pytest.raises(InputError, match="a sign that means real or drawn"):
        Recipe(
            name="wrong",
            summary="",
            task=tasks.get("xrays", Call(DigitalPatients, n=10, size=(16, 16))),
            networks={},
            objective=Call(
                AdversarialSynthesis, kind="wasserstein", augmentation=Call(AdaptiveAugmentation)
            ),
            sampler=Call(Direct),
        )
    with pytest.raises(InputError, match="at least one channel"):
        AdversarialSynthesis(critic_steps=0)


def test_a_generator_needs_a_grid() -> None:
    assert reduction_of(Repeat(1, 1)) == 4
    with pytest.raises(InputError, match=r"got UNet; use Encoder or Decoder"):
        reduction_of(UNet(channels_in=1, channels_out=1, width=4, multipliers=(1,)))


@pytest.mark.parametrize("space", [(8, 12), (5, 9), (3, 4, 7)])
def test_what_is_given_is_averaged_over_places(space: tuple[int, ...]) -> None:
    given = torch.randn(2, 3, *space, generator=rng_of(0), dtype=torch.float64)
    batch = Batch(wanted=None, given=given, cases=("a", "b"))
    found = given_on_grid(batch, 4)
    assert found.cases == batch.cases
    grid = code_grid(space, 4)
    assert found.given is not None
    assert tuple(found.given.shape) == (2, 3, *grid)
    # by hand: every voxel of the padded image is the nearest one of the image
    known = torch.zeros(2, 3, *grid, dtype=torch.float64)
    before = [(4 * places - size) // 2 for places, size in zip(grid, space, strict=True)]
    for place in torch.cartesian_prod(*[torch.arange(4 * places) for places in grid]):
        at = [
            min(max(int(p) - b, 0), size - 1)
            for p, b, size in zip(place, before, space, strict=True)
        ]
        known[(..., *[int(p) // 4 for p in place])] += given[(..., *at)] / 4 ** len(space)
    assert torch.allclose(found.given, known)
    assert given_on_grid(Batch(wanted=None), 4).given is None
    whole = torch.arange(64.0).view(1, 1, 8, 8)
    assert torch.equal(cropped(whole, (5, 8)), whole[:, :, 1:6])


def autoencoder(settings: dict[str, Any] | None = None) -> Any:
    objective = VariationalAdversarial(
        channels=2, layer=0, conditioning=Unconditional(), **(settings or {})
    )

    class Down(Affine):
        pass

    networks = {
        "encoder": fresh(Down, 2, 4),
        "decoder": fresh(Affine, 2, 2),
        "critic": fresh(Quadratic, 2),
    }
    return objective, networks


def test_every_network_of_a_vae_gan_has_the_loss_of_algorithm_1() -> None:
    """By hand, with a critic whose hidden layer is the image itself."""
    objective, networks = autoencoder({"beta": 2.0, "likeness": 3.0})
    batch = Batch(wanted=torch.randn(64, 2, 1, 1, generator=rng_of(0)))
    assert batch.wanted is not None
    carry: dict[str, Tensor] = {}
    losses = {
        player: objective.loss(player, networks, batch, rng_of(0), carry)
        for player in objective.players()
    }
    mean, log_variance = networks["encoder"](batch.wanted).chunk(2, dim=1)
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2 / 64
    rebuilt = networks["decoder"](carry["code"])
    apart = (rebuilt - batch.wanted).square().sum() / 2 / 64
    known = (2 * kl + apart) / 2  # two features
    assert float(losses["encoder"].total.detach()) == pytest.approx(float(known.detach()))
    judge = networks["critic"]
    fool = (
        nn.functional.softplus(-judge(carry["reconstructed"])).mean()
        + nn.functional.softplus(-judge(carry["drawn"])).mean()
    ) / 2
    known = 3 * apart / 2 + fool
    assert float(losses["decoder"].total.detach()) == pytest.approx(float(known.detach()))
    both = torch.cat([carry["reconstructed"], carry["drawn"]])
    paid = nn.functional.softplus(-judge(batch.wanted)).mean()
    paid = (paid + nn.functional.softplus(judge(both)).mean()) / 2
    assert float(losses["critic"].total.detach()) == pytest.approx(float(paid.detach()))
    assert torch.equal(carry["reconstructed"], rebuilt.detach())
    assert all(not tensor.requires_grad for tensor in carry.values())


def test_a_vae_gan_learns_to_rebuild_and_to_draw() -> None:
    objective, networks = autoencoder({"r1": 0.1})

    def batches(step: int) -> Batch:
        real = 0.3 + 0.8 * torch.randn(128, 2, generator=rng_of(5000 + step))
        return Batch(wanted=real.view(128, 2, 1, 1))

    play(objective, networks, batches, 250, rate=3e-2, decay=True)
    batch = batches(-1)
    assert batch.wanted is not None
    mean, _ = networks["encoder"](batch.wanted).chunk(2, dim=1)
    rebuilt = networks["decoder"](mean).detach()
    both = torch.stack([rebuilt.flatten(), batch.wanted.flatten()])
    assert float(torch.corrcoef(both)[0, 1]) > 0.9
    predict = objective.predictor(networks, batch)
    drawn = Prior().sample(predict, (2000, 2, 1, 1), rng_of(0)).detach()
    assert float(drawn.mean()) == pytest.approx(0.3, abs=0.2)
    assert float(drawn.std()) == pytest.approx(0.8, rel=0.3)


def test_a_layer_that_the_critic_lacks_is_named() -> None:
    _, networks = autoencoder()
    objective = VariationalAdversarial(channels=2, layer=5, conditioning=Unconditional())
    batch = Batch(wanted=torch.zeros(4, 2, 1, 1))
    with pytest.raises(InputError, match=r"objective\.layer: expected a layer of the critic's 2"):
        objective.loss("encoder", networks, batch, rng_of(0), {})
