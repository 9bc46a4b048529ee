"""Styles against a critic: path lengths in closed form, mixing, lazy penalties, exact resuming."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Call, InputError, Recipe
from vesalius.core.batch import Shape
from vesalius.generative.code_grid import cropped, given_at_places, places_of
from vesalius.generative.conditioning import Concatenation, Unconditional
from vesalius.generative.objectives import (
    AdaptiveAugmentation,
    AdversarialSynthesis,
    PathLength,
    StyleSynthesis,
)
from vesalius.generative.objectives.path_length import path_lengths
from vesalius.generative.samplers import Prior, TruncatedPrior
from vesalius.generative.system import System
from vesalius.networks import (
    DcganDiscriminator,
    DcganGenerator,
    Decoder,
    StyleDiscriminator,
    StyleGenerator,
    StyleMapping,
)


def rng_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Line(nn.Module):
    """Images that are a line of the sum of their styles: 4 layers, 2 x 3 voxels."""

    extent, n_styles = (2, 3), 4

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor, noise: Any = None) -> Tensor:
        return torch.einsum("vf,bfl->bv", self.weight, x.flatten(2)).view(-1, 1, 2, 3)


class Same(nn.Module):
    """A mapping that leaves codes as they are, and keeps those that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        self.seen.append(x.detach())
        return self.scale * x


def test_path_lengths_of_a_line_are_known() -> None:
    """J is the line's matrix at every layer, so the length is |A^T y|, y / 6 voxels' root."""
    weight = torch.randn(6, 5, generator=rng_of(0), dtype=torch.float64)
    line = Line(weight)
    styles = torch.randn(7, 5, 4, 1, generator=rng_of(1), dtype=torch.float64).requires_grad_()
    found = path_lengths(line(styles), styles, rng_of(2))
    y = torch.randn(7, 1, 2, 3, generator=rng_of(2), dtype=torch.float64).flatten(1) / math.sqrt(6)
    assert torch.allclose(found, (y @ weight).norm(dim=1))
    # its mean square over y is the squared Frobenius norm over the number of voxels
    many = torch.zeros(20_000, 5, 4, 1, dtype=torch.float64).requires_grad_()
    square = path_lengths(line(many), many, rng_of(3)).square().mean()
    assert float(square.detach()) == pytest.approx(float(weight.square().sum() / 6), rel=0.03)
    found.sum().backward()
    assert line.weight.grad is not None, "itself differentiable"
    assert bool(line.weight.grad.any())


def test_layers_count_by_their_mean_square() -> None:
    """Layers twice and not at all as strong: the root of (4 + 0) / 2."""
    styles = torch.zeros(3, 2, 2, 1).requires_grad_()
    images = (2 * styles[:, :, :1]).reshape(3, 1, 1, 2)
    y = torch.randn(3, 1, 1, 2, generator=rng_of(0)).flatten(1) / math.sqrt(2)
    known = y.norm(dim=1) * math.sqrt(4 / 2)
    assert torch.allclose(path_lengths(images, styles, rng_of(0)), known)


def test_the_running_mean_and_what_is_paid() -> None:
    line = Line(torch.randn(6, 5, generator=rng_of(0)))
    part = PathLength(decay=0.2)
    seen = []
    for step in range(12):
        styles = torch.randn(4, 5, 4, 1, generator=rng_of(step)).requires_grad_()
        lengths = path_lengths(line(styles), styles, rng_of(100 + step)).detach()
        paid = part(line, styles, rng_of(100 + step))
        seen.append(float(lengths.mean()))
        assert float(paid.detach()) == pytest.approx(
            float((lengths - part.mean).square().mean()), rel=1e-4
        )
        if step == 4:
            assert part.mean == pytest.approx(sum(seen) / 5, rel=1e-5), "young: the plain mean"
    known = sum(seen[:5]) / 5
    for length in seen[5:]:
        known = 0.8 * known + 0.2 * length
    assert part.mean == pytest.approx(known, rel=1e-5)
    again = PathLength(decay=0.2)
    again.restore({name: tensor.clone() for name, tensor in part.state().items()})
    styles = torch.randn(4, 5, 4, 1, generator=rng_of(50)).requires_grad_()
    first, second = part(line, styles, rng_of(0)), again(line, styles, rng_of(0))
    assert torch.equal(first, second)
    assert part.state() == again.state()


def test_an_orthogonal_line_of_one_length_pays_less_than_a_bent_one() -> None:
    """What the term asks of a generator: Jacobians that are orthogonal up to a scale."""
    straight = Line(2 * torch.eye(6))
    bent = Line(2 * torch.diag(torch.tensor([2.0, 1, 0.5, 0.1, 0.1, 0.1])))

    def paid(line: Line) -> float:
        part = PathLength()
        styles = torch.zeros(500, 6, 4, 1).requires_grad_()
        return float(part(line, styles, rng_of(0)).detach()) / part.mean**2

    assert 2 * paid(straight) < paid(bent)


def linear(**settings: Any) -> tuple[StyleSynthesis, dict[str, nn.Module]]:
    objective = StyleSynthesis(channels=3, features=3, conditioning=Unconditional(), **settings)
    weight = torch.randn(6, 3, generator=rng_of(0))
    return objective, {"generator": Line(weight), "mapping": Same(), "critic": Judge()}


class Judge(nn.Module):
    """A critic that is a line of the image and its square."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, generator=rng_of(5)))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        flat = x.flatten(1)
        return (torch.cat([flat, flat.square()], dim=1) @ self.weight)[:, None]


@pytest.mark.parametrize("mixing", [0.0, 0.6, 1.0])
def test_mixing_uses_two_codes_from_a_random_layer_on(mixing: float) -> None:
    objective, networks = linear(mixing=mixing)
    batch = Batch(wanted=torch.zeros(3000, 1, 2, 3))
    styles = objective.mixed(networks, batch, rng_of(0))
    assert styles.shape == (3000, 3, 4, 1)
    mapping = networks["mapping"]
    assert isinstance(mapping, Same)
    assert len(mapping.seen) == (1 if mixing == 0 else 2)
    own = (styles == mapping.seen[0]).all(dim=1)[..., 0]
    if mixing == 0:
        assert bool(own.all())
        return
    assert torch.equal((styles == mapping.seen[1]).all(dim=1)[..., 0], ~own)
    assert bool((own[:, :-1] >= own[:, 1:]).all()), "the first code's layers come first"
    length = own.sum(dim=1)
    shares = torch.bincount(length, minlength=5) / 3000
    # layers 1, 2 and 3 are as likely to be the first of the other code
    known = torch.tensor([0, mixing / 3, mixing / 3, mixing / 3, 1 - mixing])
    assert torch.allclose(shares, known, atol=4.5 * math.sqrt(0.25 / 3000))


def test_penalties_are_paid_in_some_steps_and_so_many_times() -> None:
    lazy, networks = linear(r1=0.8, r1_every=3, path_length=PathLength(weight=0.5, every=2))
    real = torch.randn(8, 1, 2, 3, generator=rng_of(0))
    batch = Batch(wanted=real)
    paid = []
    for step in range(6):
        carry: dict[str, Tensor] = {}
        of_generator = lazy.loss("generator", networks, batch, rng_of(step), carry)
        of_critic = lazy.loss("critic", networks, batch, rng_of(step), carry)
        assert not carry["drawn"].requires_grad
        paid.append(("path_length" in of_generator.terms, "r1" in of_critic.terms))
        if paid[-1][0]:
            assert of_generator.terms["path_length"][0] == pytest.approx(0.5 * 2)
        if paid[-1][1]:
            weight, term = of_critic.terms["r1"]
            assert weight == pytest.approx(0.8 * 3 / 2)
            known = torch.stack([slope(networks["critic"], one) for one in real])
            assert float(term.detach()) == pytest.approx(float(known.mean()) / 2, rel=1e-5)
    assert paid == [(k % 2 == 0, k % 3 == 0) for k in range(6)]
    never = linear(r1=0.0)[0]
    assert "r1" not in never.loss("critic", networks, batch, rng_of(0), carry).terms


def slope(critic: nn.Module, image: Tensor) -> Tensor:
    """|gradient|^2 of one image's logit."""
    image = image[None].clone().requires_grad_()
    (found,) = torch.autograd.grad(critic(image).sum(), image)
    return found.square().sum()


def house(
    told: int = 0, extent: int = 8, dims: Any = 2, **settings: Any
) -> tuple[StyleSynthesis, dict[str, nn.Module]]:
    """Small networks of ours."""
    conditioning = Concatenation() if told else Unconditional()
    objective = StyleSynthesis(channels=4, features=6, conditioning=conditioning, **settings)
    found = objective.interfaces(told, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks: dict[str, nn.Module] = {
            "generator": StyleGenerator(
                channels_in=found["generator"].channels_in,
                channels_out=1,
                dims=dims,
                width=4,
                multipliers=(1, 2),
                extent=extent,
            ),
            "mapping": StyleMapping(
                channels_in=found["mapping"].channels_in, channels_out=6, dims=dims, n_layers=2
            ),
            "critic": StyleDiscriminator(
                channels_in=1,
                dims=dims,
                condition_channels=found["critic"].condition_channels,
                width=4,
                multipliers=(1, 2),
                extent=extent,
            ),
        }
    return objective, networks


def play(
    objective: StyleSynthesis, networks: dict[str, nn.Module], batch: Batch, first: int, steps: int
) -> list[dict[str, float]]:
    """Plain gradient steps, as the loop takes them: networks of others stand still."""
    history = []
    for step in range(first, first + steps):
        carry: dict[str, Tensor] = {}
        values: dict[str, float] = {}
        for player, names in objective.players().items():
            for name, network in networks.items():
                network.requires_grad_(name in names)
                network.zero_grad()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(step)
                losses = objective.loss(player, networks, batch, rng_of(step), carry)
            losses.total.backward()
            values |= losses.values()
            for name, network in networks.items():
                for parameter in network.parameters():
                    assert (parameter.grad is not None) == (name in names)
                    if parameter.grad is not None:
                        parameter.data -= 1e-2 * parameter.grad
        history.append(values)
    return history


SETTINGS: dict[str, Any] = {"r1": 0.5, "r1_every": 3}


def settings() -> dict[str, Any]:
    return {
        **SETTINGS,
        "path_length": PathLength(every=2, decay=0.3),
        "augmentation": AdaptiveAugmentation(pace_images=40),
    }


@pytest.mark.parametrize("dims", [2, 3])
def test_it_goes_on_exactly_where_it_was(dims: int) -> None:
    space = (7, 6, 5)[:dims]
    given = torch.rand(4, 2, *space, generator=rng_of(1))
    batch = Batch(wanted=torch.randn(4, 1, *space, generator=rng_of(0)), given=given)
    whole, networks = house(told=2, dims=dims, **settings())
    history = play(whole, networks, batch, 0, 5)
    assert all(math.isfinite(value) for values in history for value in values.values())
    part, others = house(told=2, dims=dims, **settings())
    forgetful, thirds = house(told=2, dims=dims, **settings())
    part.restore({name: tensor.clone() for name, tensor in whole.state().items()})
    assert set(whole.state()) > {"path_length_mean", "augmentation_probability"}
    for name, network in networks.items():
        others[name].load_state_dict(network.state_dict())
        thirds[name].load_state_dict(network.state_dict())
    on = play(whole, networks, batch, 5, 4)
    assert play(part, others, batch, 5, 4) == on
    assert play(forgetful, thirds, batch, 5, 4) != on


def test_a_system_draws_the_same_again_with_its_noise() -> None:
    recipe = Recipe(
        name="small",
        summary="",
        task=tasks.get("xrays", Call(DigitalPatients, n=10, size=(16, 16))),
        networks={
            "mapping": Call(StyleMapping, n_layers=2),
            "generator": Call(StyleGenerator, width=4, multipliers=(1, 2), extent=16),
            "critic": Call(StyleDiscriminator, width=4, multipliers=(1, 2), extent=16),
        },
        objective=Call(StyleSynthesis, channels=4, features=6),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
    )
    system = System.build(recipe, Shape(0, 1, 2), seed=0)
    generator = system.networks["generator"]
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("strength"):
                parameter.fill_(0.5)
    batch = Batch(wanted=None, cases=("a", "b"))
    first = system.draw(batch, (13, 11), draws=2, seed=3)
    torch.rand(7)  # whatever happened to the default stream
    assert torch.equal(system.draw(batch, (13, 11), draws=2, seed=3), first)
    assert first.shape == (2, 2, 1, 13, 11)
    assert not torch.allclose(first[0], first[1])
    with pytest.raises(InputError, match=r"at most \(16, 16\).*set networks\.generator\.extent"):
        system.draw(batch, (17, 16))


@pytest.mark.parametrize("told", [0, 3])
def test_truncation_draws_towards_the_mean_style(told: int) -> None:
    objective, networks = house(told=told)
    given = torch.eye(3)[torch.arange(6) % 3][:, :, None, None].expand(6, 3, 8, 8)
    batch = Batch(wanted=torch.zeros(6, 1, 8, 8), given=given if told else None)
    shape = objective.code_shape(networks, (6, 1, 8, 8))
    assert shape == (6, 4, 1, 1)
    predict = objective.predictor(networks, batch)

    def drawn(truncation: float) -> Tensor:
        sampler = TruncatedPrior(truncation, codes=300)
        styles = sampler.sample(predict, shape, rng_of(0)).detach()
        assert styles.shape == (6, 6, 1, 1)
        return styles

    whole, half, none = drawn(1.0), drawn(0.5), drawn(0.0)
    assert torch.allclose(whole, Prior().sample(predict, shape, rng_of(0)))
    assert torch.allclose(half, (whole + none) / 2, atol=1e-6)
    # all at the mean of what they are told: that of many codes, to its standard error
    spread = (whole - whole.mean(0)).square().mean().sqrt()
    for case in range(6):
        codes = torch.randn(4000, 4, 1, 1, generator=rng_of(9))
        told_of = None if not told else given[case : case + 1].expand(4000, -1, -1, -1)
        many = objective.predictor(networks, Batch(wanted=None, given=told_of))(codes, None)
        apart = (none[case] - many.mean(0)).abs().max()
        assert float(apart.detach()) < 5 * float(spread.detach()) / math.sqrt(300)
    assert TruncatedPrior(0.5, codes=10).calls == 11
    with pytest.raises(InputError, match="a truncation of 0 or more"):
        TruncatedPrior(-0.1)


def test_truncation_needs_styles() -> None:
    parts: dict[str, Any] = {
        "name": "wrong",
        "summary": "",
        "task": tasks.get("xrays", Call(DigitalPatients, n=10, size=(16, 16))),
        "networks": {},
        "sampler": Call(TruncatedPrior),
    }
    with pytest.raises(InputError, match="use StyleSynthesis, or the sampler Prior"):
        Recipe(objective=Call(AdversarialSynthesis), **parts)
    assert Recipe(objective=Call(StyleSynthesis), **parts).sampler.target is TruncatedPrior
    objective = StyleSynthesis(channels=4, features=4, conditioning=Unconditional())
    networks: dict[str, nn.Module] = {
        "generator": Decoder(channels_in=4, channels_out=1, width=4),
        "mapping": StyleMapping(channels_in=4, channels_out=4),
    }
    with pytest.raises(InputError, match="use StyleGenerator, or the objective"):
        objective.mixed(networks, Batch(wanted=torch.zeros(2, 1, 8, 8)), rng_of(0))


@pytest.mark.parametrize("dims", [2, 3])
def test_a_generator_of_one_vector_has_a_grid_of_one_place(dims: Any) -> None:
    """DCGAN: told a class with its vector, of images that it makes larger than they are."""
    objective = AdversarialSynthesis(channels=5, r1=0.1)
    found = objective.interfaces(given=2, wanted=1)
    space = (7, 8, 5)[:dims]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = DcganGenerator(
            channels_in=found["generator"].channels_in,
            channels_out=1,
            dims=dims,
            width=4,
            multipliers=(1,),
            extent=8,
        )
        critic = DcganDiscriminator(
            channels_in=1, dims=dims, condition_channels=2, width=4, multipliers=(1,), extent=8
        )
    networks: dict[str, nn.Module] = {"generator": generator, "critic": critic}
    assert places_of(generator, space) == (1,) * dims
    given = torch.rand(3, 2, *space, generator=rng_of(0))
    told = given_at_places(Batch(wanted=None, given=given), generator).given
    assert told is not None
    assert torch.allclose(told.flatten(1), given.flatten(2).mean(2))
    batch = Batch(wanted=torch.randn(3, 1, *space, generator=rng_of(1)), given=given)
    carry: dict[str, Tensor] = {}
    for player in objective.players():
        objective.loss(player, networks, batch, rng_of(0), carry).total.backward()
    assert carry["drawn"].shape == (3, 1, *space)
    code = torch.randn(objective.code_shape(networks, (3, 1, *space)), generator=rng_of(2))
    generator.eval()
    whole = objective.predictor(networks, batch)(code, None)
    known = generator(torch.cat([code, told], dim=1))
    assert torch.equal(whole, known)
    assert torch.equal(objective.decode(networks, whole, batch, space), cropped(known, space))
    with pytest.raises(InputError, match="a multiplier more for every doubling"):
        objective.code_shape(networks, (3, 1, *[9] * dims))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: StyleSynthesis(mixing=1.2), "a mixing from 0 to 1"),
        (lambda: StyleSynthesis(r1_every=0), "one step"),
        (lambda: PathLength(weight=-1.0), "a weight of 0 or more"),
        (lambda: PathLength(every=0), "every 1 step or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        make()
