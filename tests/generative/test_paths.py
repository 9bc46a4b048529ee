from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import CosinePath, GaussianPath, KarrasPath

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
    for path in (CosinePath(), KarrasPath()):
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


def test_the_start_has_the_variance_of_the_last_state() -> None:
    for path in (CosinePath(data_std=0.5, last_angle=1.2), KarrasPath(noise_max=2.0)):
        start = path.start((64, 1, 32, 32), torch.Generator().manual_seed(1))
        one = torch.ones(1)
        variance = path.noise(one) ** 2 + (path.signal(one) * path.data_std) ** 2
        assert float(start.var()) == pytest.approx(float(variance), rel=0.02)


def test_impossible_paths_are_refused() -> None:
    with pytest.raises(InputError, match="between 0 and pi/2"):
        CosinePath(last_angle=math.pi / 2)
    with pytest.raises(InputError, match="noise_min < noise_max"):
        KarrasPath(noise_min=3.0, noise_max=1.0)
