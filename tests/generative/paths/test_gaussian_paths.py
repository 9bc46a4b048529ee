from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import (
    CosinePath,
    FlowPath,
    GaussianPath,
    KarrasPath,
    LinearBetaPath,
    PoissonFlowPath,
    VarianceExplodingPath,
)

PATHS = st.one_of(
    st.builds(
        CosinePath, data_std=st.floats(0.1, 3), last_angle=st.floats(0.5, math.pi / 2 - 1e-3)
    ),
    st.builds(
        KarrasPath,
        data_std=st.floats(0.1, 3),
        noise_min=st.floats(1e-3, 0.1),
        noise_max=st.floats(1.0, 80.0),
        rho=st.floats(1.0, 9.0),
    ),
    st.builds(
        LinearBetaPath,
        data_std=st.floats(0.1, 3),
        beta_min=st.floats(0.01, 1.0),
        beta_max=st.floats(2.0, 20.0),
    ),
    st.builds(
        VarianceExplodingPath,
        data_std=st.floats(0.1, 3),
        noise_min=st.floats(1e-3, 0.1),
        noise_max=st.floats(1.0, 80.0),
    ),
    st.builds(FlowPath, data_std=st.floats(0.1, 3), last=st.floats(0.5, 0.999)),
    st.builds(PoissonFlowPath, dimension=st.integers(3, 2048), noise_max=st.floats(1.0, 80.0)),
)
ALL = (
    CosinePath(),
    FlowPath(),
    KarrasPath(),
    LinearBetaPath(),
    PoissonFlowPath(),
    VarianceExplodingPath(),
)
TIMES = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4)


def fields(n: int, seed: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    made = torch.randn(2, n, 2, 3, 3, generator=rng, dtype=torch.float64)
    return made[0], made[1]


@given(PATHS, TIMES, st.integers(0, 99))
def test_conversions_are_exact_inverses(path: GaussianPath, times: list[float], seed: int) -> None:
    time = torch.tensor(times, dtype=torch.float64)
    clean, noise = fields(len(times), seed)
    state = path.perturb(clean, time, noise)
    # the state holds the clean image beside the noise, with signal / noise of its size
    lost = float((path.noise(time) / path.signal(time)).max())
    for kind in path.kinds:
        target = path.target(kind, clean, noise, time)
        assert torch.allclose(
            path.denoised(kind, target, state, time), clean, atol=1e-11 * (1 + lost)
        ), kind
    kept = float((path.signal(time) / path.noise(time)).max())
    assert torch.allclose(path.noise_in(state, clean, time), noise, atol=1e-12 * (1 + kept))


@given(PATHS, TIMES)
def test_states_are_seen_at_unit_variance(path: GaussianPath, times: list[float]) -> None:
    time = torch.tensor(times, dtype=torch.float64)
    one = torch.ones(len(times), 1, 1, 1, dtype=torch.float64)
    signal = path.normalised(path.perturb(path.data_std * one, time, 0 * one), time)
    noise = path.normalised(path.perturb(0 * one, time, one), time)
    assert torch.allclose(signal**2 + noise**2, one, atol=1e-12)
    a = path.angle(time).view(-1, 1, 1, 1)
    assert torch.allclose(signal, a.cos(), atol=1e-12)
    assert torch.allclose(noise, a.sin(), atol=1e-12)


@given(PATHS)
def test_levels_angles_and_ratios_rise_with_time(path: GaussianPath) -> None:
    time = torch.linspace(0.02, 1, 40, dtype=torch.float64)
    for values in (path.level(time), path.angle(time), path.noise(time) / path.signal(time)):
        assert (values.diff() > 0).all()
    assert torch.isfinite(path.level(torch.tensor([0.0, 1.0]))).all()


@given(PATHS, st.integers(1, 60))
def test_times_fall_from_one_to_zero(path: GaussianPath, steps: int) -> None:
    times = path.times(steps)
    assert times.dtype == torch.float64
    assert times.shape == (steps + 1,)
    assert (times[0], times[-1]) == (1, 0)
    assert (times.diff() < 0).all()
    assert path.noise(times)[-1] == 0
    assert path.signal(times)[-1] == 1


def test_zero_time_is_the_clean_image() -> None:
    clean, noise = fields(2, 0)
    for path in ALL:
        zero = torch.zeros(2, dtype=torch.float64)
        assert torch.equal(path.perturb(clean, zero, noise), clean)
        assert torch.equal(path.noise_in(clean, clean, zero), torch.zeros_like(clean))


def test_karras_times_are_those_of_the_paper() -> None:
    """Equation 5 for N = 4, rho = 7, from 80 to 0.002."""
    path = KarrasPath()
    times = path.times(4)
    expected = [(80 ** (1 / 7) + k / 3 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for k in range(4)]
    assert path.noise(times)[:4].tolist() == pytest.approx(expected, rel=1e-6)
    noise = torch.tensor([0.01, 0.5, 10.0], dtype=torch.float64)
    assert torch.allclose(path.noise(path.time_of(noise)), noise)


def test_training_times() -> None:
    rng = torch.Generator().manual_seed(0)
    drawn = CosinePath().draw_times(1000, rng)
    counts = torch.histc(drawn, bins=1000, min=0, max=1)
    assert (counts == 1).sum() > 980, "one time in each part of the path"
    karras = KarrasPath()
    noise = karras.noise(karras.draw_times(20000, rng)).log()
    assert float(noise.mean()) == pytest.approx(-1.2, abs=0.03)
    assert float(noise.std()) == pytest.approx(1.2, abs=0.03)


def test_flows_are_the_derivatives_of_the_states() -> None:
    """Against central differences of the state at fixed image and noise."""
    clean, noise = fields(3, 4)
    time, step = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64), 1e-5
    for path in ALL:
        later, earlier = (path.perturb(clean, time + h, noise) for h in (step, -step))
        slope = (later - earlier) / (2 * step)
        flow = path.target("flow", clean, noise, time)
        assert torch.allclose(flow, slope, rtol=1e-5, atol=1e-6), path


def test_scores_are_gradients_of_the_log_density() -> None:
    """For N(0, d^2) images the state is N(0, signal^2 d^2 + noise^2)."""
    rng = torch.Generator().manual_seed(0)
    for path in (CosinePath(data_std=0.7), LinearBetaPath(data_std=0.7), KarrasPath(data_std=0.7)):
        time = torch.tensor([0.3, 0.6], dtype=torch.float64)
        x = torch.randn(2, 1, 4, 4, generator=rng, dtype=torch.float64).requires_grad_()
        signal, sigma = (v.view(-1, 1, 1, 1) for v in (path.signal(time), path.noise(time)))
        variance = (signal * path.data_std) ** 2 + sigma**2
        score = torch.autograd.grad((-(x**2) / (2 * variance)).sum(), x)[0]
        expected_clean = signal * path.data_std**2 / variance * x
        found = path.denoised("score", score, x, time)
        assert torch.allclose(found, expected_clean, atol=1e-10)


def test_linear_betas_are_those_of_the_thousand_steps() -> None:
    """prod(1 - beta_k) for 1000 betas from 1e-4 to 0.02 (Ho et al. 2020)."""
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    kept = torch.cumprod(1 - betas, 0).sqrt()
    time = torch.arange(1, 1001, dtype=torch.float64) / 1000
    assert torch.allclose(LinearBetaPath().signal(time), kept, rtol=0.05, atol=2e-3)
    assert float(LinearBetaPath().signal(torch.ones(1, dtype=torch.float64))) == pytest.approx(
        math.exp(-(0.1 + 20.0) / 4)
    )


def test_exploding_noise_is_geometric() -> None:
    path = VarianceExplodingPath(noise_min=0.01, noise_max=100.0)
    time = torch.tensor([0.25, 0.5, 1.0], dtype=torch.float64)
    assert path.noise(time).tolist() == pytest.approx([0.1, 1.0, 100.0])


def test_straight_flows_have_one_velocity() -> None:
    """dx/dt = last (noise - clean) at every time."""
    clean, noise = fields(3, 1)
    path = FlowPath(last=0.999)
    time = torch.tensor([0.1, 0.5, 0.99], dtype=torch.float64)
    assert torch.allclose(path.target("flow", clean, noise, time), 0.999 * (noise - clean))


def test_the_start_has_the_variance_of_the_last_state() -> None:
    for path in (CosinePath(data_std=0.5, last_angle=1.2), KarrasPath(noise_max=2.0)):
        start = path.start((64, 1, 32, 32), torch.Generator().manual_seed(1))
        one = torch.ones(1)
        variance = path.noise(one) ** 2 + (path.signal(one) * path.data_std) ** 2
        assert float(start.var()) == pytest.approx(float(variance), rel=0.02)


def test_impossible_paths_are_refused() -> None:
    with pytest.raises(InputError, match="between 0 and pi/2"):
        CosinePath(last_angle=math.pi / 2)
    for kind in (KarrasPath, VarianceExplodingPath, PoissonFlowPath):
        with pytest.raises(InputError, match="noise_min < noise_max"):
            kind(noise_min=3.0, noise_max=1.0)
    with pytest.raises(InputError, match="beta_min < beta_max"):
        LinearBetaPath(beta_min=2.0, beta_max=1.0)
    with pytest.raises(InputError, match="last level"):
        FlowPath(last=1.0)
    with pytest.raises(InputError, match="dimension"):
        PoissonFlowPath(dimension=0)
