"""Two classes whose guided scores are known in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Call, InputError, Recipe
from vesalius.generative.codecs import Residual
from vesalius.generative.conditioning import Concatenation, Dropped, MaskAblation
from vesalius.generative.guidance import Classifier, ClassifierFree, Scene
from vesalius.generative.objectives import Denoising, NoisyClassification, Together
from vesalius.generative.paths import BridgePath, CosinePath, FlowPath, GaussianPath, KarrasPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers import Ddim, Deterministic, Heun
from vesalius.networks.classifier import SmallClassifier
from vesalius.networks.unet import UNet
from vesalius.testing.exact_denoiser import exact_denoiser

#: Weight, mean and deviation of two classes of images of one voxel.
CLASSES = ((0.3, -0.6, 0.3), (0.7, 0.5, 0.2))
PATHS = [CosinePath(data_std=0.5), KarrasPath(data_std=0.5), FlowPath(data_std=0.5)]


def given(*numbers: int) -> Tensor:
    """Class maps of images of one voxel."""
    return nn.functional.one_hot(torch.tensor(numbers), 2).double().view(-1, 2, 1, 1)


def exact_predictor(path: GaussianPath, batch: Batch) -> Predictor:
    """The exact denoiser of each case's class, or of both classes where nothing is given."""
    parts = [exact_denoiser(path, ((1.0, mean, std),)) for _, mean, std in CLASSES]
    parts.append(exact_denoiser(path, CLASSES))

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert batch.given is not None
        number = batch.given.flatten(1)
        number = torch.where(number.sum(1) > 0, number.argmax(1), 2)
        stacked = torch.stack([part(x, time) for part in parts])
        return stacked[number, torch.arange(len(number))]

    return predict


def log_density(path: GaussianPath, x: Tensor, time: Tensor, classes: tuple[int, ...]) -> Tensor:
    """log p(x, class in ``classes``) of states, (batch,)."""
    signal, noise = path.signal(time), path.noise(time)
    terms = []
    for number in classes:
        weight, mean, std = CLASSES[number]
        law = torch.distributions.Normal(signal * mean, ((signal * std) ** 2 + noise**2).sqrt())
        terms.append(torch.log(torch.tensor(weight)) + law.log_prob(x.flatten()))
    return torch.stack(terms).logsumexp(0)


def score_of_prediction(path: GaussianPath, x: Tensor, clean: Tensor, time: Tensor) -> Tensor:
    """Of images of one voxel, (batch,)."""
    return ((path.signal(time) * clean.flatten() - x.flatten()) / path.noise(time) ** 2).detach()


def states() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(6, 1, 1, 1, generator=rng, dtype=torch.float64)
    return x.requires_grad_(), torch.linspace(0.1, 0.9, 6, dtype=torch.float64)


class ExactClassifier(nn.Module):
    """Logits of both classes of a state at unit variance that is told its level."""

    def __init__(self, path: GaussianPath) -> None:
        super().__init__()
        self.path = path
        self.times = torch.linspace(0, 1, 200_001, dtype=torch.float64)
        self.levels = path.level(self.times)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        time = self.times[torch.searchsorted(self.levels, level.double())]
        state = x.flatten() / self.path.normalised(torch.ones_like(x), time).flatten()
        return torch.stack([log_density(self.path, state, time, (k,)) for k in (0, 1)], dim=1)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_without_a_classifier_the_score_is_that_of_the_tilted_law(
    path: GaussianPath, scale: float
) -> None:
    """grad log p(x) + scale (grad log p(x, class) - grad log p(x))."""
    x, time = states()
    batch = Batch(wanted=None, given=given(0, 1, 0, 1, 0, 1))
    scene = Scene(batch, {}, lambda other: exact_predictor(path, other))
    guided = ClassifierFree(scale).guide(exact_predictor(path, batch), scene)
    (free,) = torch.autograd.grad(log_density(path, x, time, (0, 1)).sum(), x)
    own = torch.stack(
        [log_density(path, x, time, (k % 2,))[k] for k in range(6)]  # the case's own class
    )
    (told,) = torch.autograd.grad(own.sum(), x)
    wanted = (free + scale * (told - free)).flatten()
    found = score_of_prediction(path, x, guided(x, time), time)
    assert torch.allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_with_the_exact_classifier_the_score_is_the_posteriors(
    path: GaussianPath, scale: float
) -> None:
    x, time = states()
    batch = Batch(wanted=None, given=given(0, 1, 0, 1, 0, 1))
    scene = Scene(
        batch, {"classifier": ExactClassifier(path)}, lambda other: pytest.fail("not asked for")
    )
    guided = Classifier(path, scale).guide(exact_denoiser(path, CLASSES), scene)
    with torch.no_grad():
        found = score_of_prediction(path, x, guided(x, time), time)
    (free,) = torch.autograd.grad(log_density(path, x, time, (0, 1)).sum(), x)
    own = torch.stack([log_density(path, x, time, (k % 2,))[k] for k in range(6)])
    (told,) = torch.autograd.grad(own.sum(), x)
    wanted = (free + scale * (told - free)).flatten()
    assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("in_double")
def test_draws_are_of_the_class() -> None:
    path = KarrasPath(data_std=0.5, noise_max=10.0)
    n = 2000
    batch = Batch(wanted=None, given=given(*[0] * n))
    scene = Scene(
        batch,
        {"classifier": ExactClassifier(path)},
        lambda other: exact_predictor(path, other),
    )
    free = exact_denoiser(path, CLASSES)
    for guided in (
        Classifier(path).guide(free, scene),
        ClassifierFree(1.0).guide(exact_predictor(path, batch), scene),
    ):
        drawn = Heun(path, 40).sample(guided, (n, 1, 1, 1), torch.Generator().manual_seed(0))
        assert float(drawn.mean()) == pytest.approx(-0.6, abs=0.03)
        assert float(drawn.std()) == pytest.approx(0.3, rel=0.06)


def test_a_classifier_needs_a_class() -> None:
    for wrong in (None, torch.rand(2, 2, 3, 3), torch.ones(2, 2, 3, 3)):
        scene = Scene(
            Batch(wanted=None, given=wrong, cases=("a", "b")),
            {},
            lambda other: pytest.fail("not asked for"),
        )
        with pytest.raises(InputError, match="class"):
            Classifier(CosinePath()).guide(lambda x, time: torch.zeros(1), scene)
    nothing = Scene(
        Batch(wanted=None, cases=("a",)), {}, lambda other: pytest.fail("not asked for")
    )
    with pytest.raises(InputError, match="ClassifierFree"):
        ClassifierFree().guide(lambda x, time: torch.zeros(1), nothing)


def test_dropped_says_nothing_as_often_as_it_should() -> None:
    conditioning = Dropped(Concatenation(), 0.2)
    batch = Batch(wanted=None, given=torch.ones(20_000, 2, 1, 1))
    state = torch.zeros(20_000, 1, 1, 1)
    assert conditioning.channels(2) == (2, 0)
    rng = torch.Generator().manual_seed(0)
    inside, condition = conditioning.arrange(state, batch, rng=rng)
    assert condition is None
    told = inside[:, 1:].flatten(1)
    assert bool((told[:, 0] == told[:, 1]).all()), "all of what is given or nothing"
    assert float(told.mean()) == pytest.approx(0.8, abs=0.01)
    drawn, _ = conditioning.arrange(state, batch)
    assert bool((drawn[:, 1:] == 1).all()), "dropped in training only"
    origin = conditioning.origin(batch, 2)
    assert origin is batch.given
    with pytest.raises(InputError):
        Dropped(drop=0.0)


def recipe(**parts: object) -> Recipe:
    whole: dict[str, object] = {
        "name": "x",
        "summary": "",
        "task": tasks.get("xray-from-class", Call(DigitalPatients, n=10, size=(16, 16))),
        "networks": {
            "network": Call(UNet, width=4),
            "classifier": Call(SmallClassifier, width=4),
        },
        "path": Call(CosinePath),
        "objective": Call(Together, objectives=(Call(Denoising), Call(NoisyClassification))),
        "sampler": Call(Ddim, steps=2),
        "conditioning": Call(Dropped, inner=Call(Concatenation)),
        **parts,
    }
    return Recipe(**whole)  # type: ignore[arg-type]


def test_recipes_that_do_not_fit_are_refused_when_written() -> None:
    free, climbed = (Call(ClassifierFree),), (Call(Classifier),)
    recipe(guidance=(*free, *climbed))
    recipe(guidance=free, conditioning=Call(MaskAblation))
    for conditioning in (None, Call(Concatenation)):
        with pytest.raises(InputError, match=r"use Dropped"):
            recipe(guidance=free, conditioning=conditioning)
    with pytest.raises(InputError, match="Together"):
        recipe(guidance=climbed, networks={"network": Call(UNet)}, objective=Call(Denoising))
    for user in (climbed, ()):
        with pytest.raises(InputError, match="codec"):
            recipe(guidance=user, codec=Call(Residual))
    with pytest.raises(InputError, match="GaussianPath"):
        recipe(
            guidance=climbed,
            path=Call(BridgePath),
            objective=Call(Denoising, prediction="denoised"),
            sampler=Call(Deterministic),
        )
