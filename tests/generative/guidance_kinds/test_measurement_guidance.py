from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core import Batch, InputError
from vesalius.generative.guidance import MixedWithGiven, PosteriorSampling, Scene
from vesalius.generative.paths import CosinePath, GaussianPath, KarrasPath
from vesalius.generative.samplers import Heun
from vesalius.physics.masking import Masking

STD, NOISE = 0.5, 0.3


def scene(batch: Batch) -> Scene:
    return Scene(batch, {}, lambda other: pytest.fail("not asked for"))


def measured(n: int) -> tuple[Masking, Tensor]:
    """Half of the voxels of (n, 1, 2, 2), with noise."""
    known = torch.tensor([[True, False], [True, False]]).expand(n, 1, 2, 2)
    value = torch.tensor([[0.8, 0.0], [-0.4, 0.0]]).expand(n, 1, 2, 2)
    return Masking(known), value


@pytest.mark.parametrize(
    "path", [CosinePath(data_std=STD, last_angle=1.5), KarrasPath(data_std=STD, noise_max=10.0)]
)
@pytest.mark.usefixtures("in_double")
def test_white_images_have_the_posteriors_score(
    path: GaussianPath, exact: Callable[..., Any]
) -> None:
    """x of N(0, STD^2), y = x + noise where known: by Gaussian conditioning on state and y."""
    operator, value = measured(3)
    guided = PosteriorSampling(path, noise_std=NOISE).guide(
        exact(path, ((1.0, 0.0, STD),)),
        scene(Batch(wanted=None, measurement=value, operator=operator)),
    )
    x = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    time = torch.tensor([0.1, 0.5, 0.95])
    with torch.no_grad():
        found = guided(x, time)
    signal, noise = (part.view(3, 1, 1, 1) for part in (path.signal(time), path.noise(time)))
    precision = 1 / STD**2 + signal**2 / noise**2 + operator.known / NOISE**2
    wanted = (signal / noise**2 * x + operator.known * value / NOISE**2) / precision
    assert torch.allclose(found, wanted, atol=1e-7)


@pytest.mark.usefixtures("in_double")
def test_draws_are_of_the_posterior(exact: Callable[..., Any]) -> None:
    n, path = 3000, KarrasPath(data_std=STD, noise_max=10.0)
    operator, value = measured(n)
    batch = Batch(wanted=None, measurement=value, operator=operator)
    guided = PosteriorSampling(path, noise_std=NOISE).guide(
        exact(path, ((1.0, 0.0, STD),)), scene(batch)
    )
    with torch.no_grad():
        drawn = Heun(path, 30).sample(guided, (n, 1, 2, 2), torch.Generator().manual_seed(0))
    shrunk = STD**2 / (STD**2 + NOISE**2)
    assert drawn.mean(dim=0).flatten().tolist() == pytest.approx(
        [0.8 * shrunk, 0.0, -0.4 * shrunk, 0.0], abs=0.04
    )
    known, free = NOISE * shrunk**0.5, STD
    assert drawn.std(dim=0).flatten().tolist() == pytest.approx(
        [known, free, known, free], rel=0.05
    )


@pytest.mark.usefixtures("in_double")
def test_the_gradient_goes_through_the_network() -> None:
    """What is known of one voxel moves another that the network makes from both."""
    path = CosinePath(data_std=STD)
    operator, value = measured(1)
    guided = PosteriorSampling(path, strength=2.0, noise_std=NOISE).guide(
        lambda x, time: x + 0.5 * x.flip(-1),  # type: ignore[union-attr]
        scene(Batch(wanted=None, measurement=value, operator=operator)),
    )
    x, time = torch.zeros(1, 1, 2, 2), torch.tensor([0.5])
    signal, noise = float(path.signal(time)), float(path.noise(time))
    unknown = STD**2 * noise**2 / (noise**2 + signal**2 * STD**2)
    rate = 2.0 * noise**2 / signal / (NOISE**2 + unknown)
    wanted = rate * torch.tensor([[[[0.8, 0.4], [-0.4, -0.2]]]])
    assert torch.allclose(guided(x, time), wanted, atol=1e-9)


def test_images_alone_are_refused() -> None:
    with pytest.raises(InputError, match="operator"):
        PosteriorSampling(CosinePath()).guide(
            lambda x, time: torch.zeros(1), scene(Batch(wanted=None, cases=("a",)))
        )
    for wrong in ({"strength": 0.0}, {"noise_std": -1.0}):
        with pytest.raises(InputError):
            PosteriorSampling(CosinePath(), **wrong)


def test_mixed_with_given_leaves_a_part_in() -> None:
    given = torch.full((1, 1, 2, 2), 2.0)
    mixed = MixedWithGiven(0.7).guide(
        lambda x, time: torch.ones(1, 1, 2, 2), scene(Batch(wanted=None, given=given))
    )
    assert torch.allclose(mixed(given, torch.ones(1)), torch.full((1, 1, 2, 2), 1.3))
    for other in (None, torch.zeros(1, 2, 2, 2)):
        unlike = MixedWithGiven().guide(
            lambda x, time: torch.ones(1, 1, 2, 2),
            scene(Batch(wanted=None, given=other, cases=("a",))),
        )
        with pytest.raises(InputError, match="like the wanted"):
            unlike(given, None)
    with pytest.raises(InputError):
        MixedWithGiven(1.5)
