"""Every sampler along Gaussian paths against the exact denoiser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vesalius.generative.paths import (
    CosinePath,
    FlowPath,
    GaussianPath,
    KarrasPath,
    VarianceExplodingPath,
)
from vesalius.generative.samplers import (
    Ancestral,
    Churn,
    Ddim,
    DpmSolver,
    Euler,
    Heun,
    Langevin,
    PartialPath,
    PathSampler,
    PredictorCorrector,
    Repaint,
)
from vesalius.testing.check_sampler import check_sampler, measured_order
from vesalius.testing.exact_denoiser import exact_denoiser

PATHS = {
    "cosine": CosinePath(data_std=0.5, last_angle=1.5),
    "karras": KarrasPath(data_std=0.5, noise_min=1e-4, noise_max=10.0),
    "flow": FlowPath(data_std=0.5, last=0.99),
}
Make = Callable[..., PathSampler]
DETERMINISTIC: dict[str, tuple[Make, int]] = {
    "ddim": (Ddim, 1),
    "euler": (Euler, 1),
    "heun": (Heun, 2),
    "churn-without-churn": (lambda p, n, **more: Churn(p, n, 0.0, **more), 2),
}
#: Samplers that add noise, and the steps that they need for the right law.
STOCHASTIC: dict[str, tuple[Make, int]] = {
    "ancestral": (Ancestral, 150),
    "ancestral-prior": (lambda p, n, **more: Ancestral(p, n, "prior", **more), 300),
    "churn": (lambda p, n, **more: Churn(p, n, 0.4 * n, **more), 60),
    "predictor-corrector": (lambda p, n, **more: PredictorCorrector(p, n, 1, 0.1, **more), 150),
    "repaint": (lambda p, n, **more: Repaint(p, n, 2, 3, **more), 300),
}
EVERY: dict[str, Make] = {
    **{name: make for name, (make, _) in (DETERMINISTIC | STOCHASTIC).items()},
    "dpm-solver": DpmSolver,
    "langevin": Langevin,
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(("make", "order"), DETERMINISTIC.values(), ids=DETERMINISTIC)
def test_deterministic_samplers(make: Make, order: int, path: GaussianPath) -> None:
    many = 500 if make is Euler and isinstance(path, KarrasPath) else 80
    check_sampler(lambda steps: make(path, steps), path, order=order, many=many)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(("make", "steps"), STOCHASTIC.values(), ids=STOCHASTIC)
def test_stochastic_samplers(make: Make, steps: int, path: GaussianPath) -> None:
    check_sampler(lambda n: make(path, n), path, many=steps)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_dpm_solver(path: GaussianPath) -> None:
    karras = isinstance(path, KarrasPath)
    check_sampler(lambda n: DpmSolver(path, n), path, order=2 if karras else None, many=100)
    if not karras:  # a logarithm is in the way, and less so with more steps
        early, late = measured_order(lambda n: DpmSolver(path, n), path, (160, 320, 640))
        assert 1.5 < early < late < 2.0


def test_langevin_dynamics() -> None:
    path = VarianceExplodingPath(data_std=0.5, noise_max=10.0)
    check_sampler(lambda n: Langevin(path, n, 10, 0.8), path, few=3, many=80)


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_a_draw_may_begin_at_a_given_image(make: Make) -> None:
    """SDEdit keeps what the path has not forgotten of a Gaussian's deviation from the mean."""
    path = FlowPath(data_std=0.5)
    time, shape = 0.3, (1, 1, 1000, 1)
    given = torch.full(shape, 1.3)
    asked: list[float] = []
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))

    def watched(x: Tensor | None, at: Tensor | None) -> Tensor:
        assert at is not None
        asked.append(float(at.max()))
        return denoise(x, at)

    sampler = make(path, 100, beginning=PartialPath(time))
    drawn = sampler.sample(watched, shape, torch.Generator().manual_seed(0), given)
    assert len(asked) == sampler.calls
    assert max(asked) < 0.5, "noise may be added first, but not all of the path"
    assert asked[0] >= time - 1e-6
    begin = torch.tensor([time])
    signal, noise = float(path.signal(begin)), float(path.noise(begin))
    variance = (signal * 0.5) ** 2 + noise**2
    along_the_flow, posterior = 0.5 * signal / variance**0.5, (signal * 0.5) ** 2 / variance
    kept = float(drawn.mean()) - 0.3
    if make in [make for make, _ in DETERMINISTIC.values()] or make is DpmSolver:
        assert kept == pytest.approx(along_the_flow, abs=0.03)
    elif make is Ancestral:
        assert kept == pytest.approx(posterior, abs=0.05)
    else:  # new noise makes a draw forget more
        assert -0.05 < kept < along_the_flow - 0.03
