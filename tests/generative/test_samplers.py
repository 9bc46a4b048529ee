from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import CosinePath, GaussianPath, KarrasPath
from vesalius.generative.samplers import Ddim, Direct, Heun, Sampler

MEAN, STD = 0.3, 0.5
PATHS = [
    CosinePath(data_std=0.5, last_angle=1.5),
    KarrasPath(data_std=0.5, noise_min=1e-4, noise_max=10.0),
]
Exact = Callable[..., Any]


def exact_end(path: GaussianPath, shape: tuple[int, ...], seed: int) -> Tensor:
    """Where the probability-flow equation takes the start of N(MEAN, STD^2)."""
    one = torch.ones(1)
    start = path.start(shape, torch.Generator().manual_seed(seed))
    signal, noise = path.signal(one), path.noise(one)
    return MEAN + (start - signal * MEAN) * STD / torch.sqrt((signal * STD) ** 2 + noise**2)


@pytest.mark.parametrize("path", PATHS, ids=["cosine", "karras"])
@pytest.mark.parametrize(("kind", "order"), [(Ddim, 1), (Heun, 2)])
@pytest.mark.usefixtures("in_double")
def test_order_of_convergence_on_a_gaussian(
    kind: Callable[..., Sampler], order: int, path: GaussianPath, exact: Exact
) -> None:
    shape = (1, 1, 8, 8)
    errors = []
    for steps in (40, 80, 160):
        drawn = kind(path, steps=steps).sample(
            exact(path, ((1.0, MEAN, STD),)), shape, torch.Generator().manual_seed(0)
        )
        errors.append(float((drawn - exact_end(path, shape, 0)).abs().max()))
    measured = [float(torch.log2(torch.tensor(a / b))) for a, b in pairwise(errors)]
    assert measured == pytest.approx([order, order], abs=0.25), errors


@pytest.mark.parametrize("path", PATHS, ids=["cosine", "karras"])
@pytest.mark.parametrize(
    "sampler",
    [lambda path: Ddim(path, 150, 1.0), lambda path: Ddim(path, 150), lambda p: Heun(p, 40)],
    ids=["ancestral", "ddim", "heun"],
)
def test_moments_of_a_gaussian_and_of_a_mixture(
    sampler: Callable[[GaussianPath], Sampler], path: GaussianPath, exact: Exact
) -> None:
    rng = torch.Generator().manual_seed(0)
    n = 40_000
    shape = (4, 1, n // 4, 1)
    drawn = sampler(path).sample(exact(path, ((1.0, MEAN, STD),)), shape, rng).double()
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(drawn.std()) == pytest.approx(STD, rel=0.05)
    mixture = ((0.25, -0.8, 0.1), (0.75, 0.4, 0.2))
    drawn = sampler(path).sample(exact(path, mixture), shape, rng).double()
    left = drawn[drawn < -0.3]
    assert len(left) / n == pytest.approx(0.25, abs=0.03)
    assert float(left.mean()) == pytest.approx(-0.8, abs=0.03)
    assert float(left.std()) == pytest.approx(0.1, rel=0.12)
    assert float(drawn[drawn >= -0.3].std()) == pytest.approx(0.2, rel=0.12)


@pytest.mark.parametrize(
    "make", [lambda p: Ddim(p, 5), lambda p: Ddim(p, 5, 0.5), lambda p: Heun(p, 3)]
)
def test_draws_are_the_generators_and_calls_are_counted(
    make: Callable[[GaussianPath], Sampler], exact: Exact
) -> None:
    path = CosinePath(data_std=0.5)
    sampler, calls = make(path), 0
    denoise = exact(path, ((1.0, MEAN, STD),))

    def counted(x: Tensor | None, time: Tensor | None) -> Tensor:
        nonlocal calls
        calls += 1
        assert time is not None
        assert time.shape == (2,)
        found: Tensor = denoise(x, time)
        return found

    drawn = [
        sampler.sample(counted, (2, 1, 4, 4), torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    assert calls == 3 * sampler.calls
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.allclose(drawn[0], drawn[2])
    assert drawn[0].dtype == torch.float32


def test_one_step_is_the_prediction_at_the_start(exact: Exact) -> None:
    for path in PATHS:
        denoise = exact(path, ((1.0, MEAN, STD),))
        start = path.start((2, 1, 4, 4), torch.Generator().manual_seed(0))
        for sampler in (Ddim(path, 1), Ddim(path, 1, 1.0), Heun(path, 1)):
            drawn = sampler.sample(denoise, (2, 1, 4, 4), torch.Generator().manual_seed(0))
            assert torch.allclose(drawn, denoise(start, torch.ones(2)), atol=1e-5)


def test_direct_is_one_call() -> None:
    assert Direct().calls == 1
    image = torch.ones(1, 1, 2, 2)
    assert Direct().sample(lambda x, time: image, (1, 1, 2, 2), torch.Generator()) is image


@pytest.mark.parametrize(("steps", "eta"), [(0, 0.0), (-1, 0.0), (3, 1.5), (3, -0.1)])
def test_impossible_settings_are_refused(steps: int, eta: float) -> None:
    with pytest.raises(InputError):
        Ddim(CosinePath(), steps, eta)
    if steps < 1:
        with pytest.raises(InputError):
            Heun(CosinePath(), steps)
