from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import BridgePath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers import BridgePosterior, Deterministic

BRIDGES = st.builds(
    BridgePath,
    variance=st.one_of(st.just(0.0), st.floats(1e-3, 2.0)),
    schedule=st.sampled_from(["linear", "symmetric"]),
)


def ends(n: int = 2, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    made = torch.randn(3, n, 1, 4, 4, generator=rng, dtype=torch.float64)
    return made[0], made[1], made[2]


def knowing(clean: Tensor) -> Predictor:
    """A network that knows the image."""
    return lambda x, time: clean


@given(BRIDGES, st.lists(st.floats(0.01, 1.0), min_size=2, max_size=2), st.integers(0, 99))
def test_predictions_are_exact_inverses(path: BridgePath, times: list[float], seed: int) -> None:
    clean, given_image, noise = ends(2, seed)
    time = torch.tensor(times, dtype=torch.float64)
    state = path.perturb(clean, time, noise, given_image)
    for kind in path.kinds:
        target = path.target(kind, clean, noise, time, given_image)
        found = path.denoised(kind, target, state, time, given_image)
        assert torch.allclose(found, clean, atol=1e-9)


@given(BRIDGES)
def test_a_bridge_stands_on_both_ends(path: BridgePath) -> None:
    clean, given_image, noise = ends()
    zero, one = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    assert torch.allclose(path.perturb(clean, zero, noise, given_image), clean)
    assert torch.allclose(path.perturb(clean, one, noise, given_image), given_image)
    share = path.share(torch.linspace(0, 1, 50, dtype=torch.float64))
    assert (share.diff() > 0).all()
    assert torch.allclose(share + share.flip(0), torch.ones_like(share)), "both ends alike"


@pytest.mark.parametrize("schedule", ["linear", "symmetric"])
def test_posterior_steps_keep_the_law_of_the_path(schedule: str) -> None:
    """With the true image, states after any steps are N((1-u) clean + u given, v u (1-u))."""
    path = BridgePath(variance=0.8, schedule=schedule)  # type: ignore[arg-type]
    clean, given_image = torch.full((1, 1, 300, 300), -1.0), torch.full((1, 1, 300, 300), 2.0)
    sampler = BridgePosterior(path, steps=5)
    times = torch.tensor([1.0, 0.8, 0.55, 0.3], dtype=torch.float64)
    state = sampler.solve(
        knowing(clean), given_image, times, torch.Generator().manual_seed(0), given_image
    )
    u = float(path.share(times[-1]))
    assert float(state.mean()) == pytest.approx((1 - u) * -1 + u * 2, abs=0.01)
    assert float(state.var()) == pytest.approx(0.8 * u * (1 - u), rel=0.02)


def test_without_noise_the_step_is_cold_diffusions() -> None:
    """x - D(x0, given, t) + D(x0, given, s), the given image solved from the state (CoreDiff)."""
    path = BridgePath()
    clean, given_image, _ = ends()
    guess = clean + 0.1
    now, then = torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)
    state = path.perturb(clean, now.expand(2), torch.zeros_like(clean), given_image)
    solved = (state - (1 - now) * guess) / now
    expected = (1 - then) * guess + then * solved
    assert torch.allclose(path.move(state, guess, now, then), expected)


def test_a_perfect_network_walks_the_straight_line() -> None:
    clean, given_image, _ = ends()
    seen = []

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        seen.append(x)
        return clean

    rng = torch.Generator()
    drawn = Deterministic(BridgePath(), steps=4).sample(predict, (2, 1, 4, 4), rng, given_image)
    assert torch.allclose(drawn, clean)
    for k, state in enumerate(seen):
        assert torch.allclose(state, torch.lerp(given_image, clean, k / 4))


def test_gaussian_ends_are_crossed_exactly_in_law() -> None:
    """Clean N(0, 1), given = clean + N(0, 0.5^2): the exact denoiser leads to the posterior mean.

    With one step the draw is E[clean | given]; with many stochastic ones its variance is that of
    the posterior, 0.2.
    """
    path = BridgePath(variance=0.25, schedule="linear")
    rng = torch.Generator().manual_seed(0)
    clean = torch.randn(1, 1, 150, 150, generator=rng)
    given_image = clean + 0.5 * torch.randn(clean.shape, generator=rng)

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        # along this bridge x_t = clean + N(0, 0.25 u): given itself is x_1
        assert x is not None
        assert time is not None
        u = float(path.share(time)[0])
        return x / (1 + 0.25 * u)

    one = Deterministic(path, steps=1).sample(predict, clean.shape, rng, given_image)
    assert torch.allclose(one, given_image / 1.25)
    many = BridgePosterior(path, steps=500).sample(predict, clean.shape, rng, given_image)
    assert float((many - given_image / 1.25).var()) == pytest.approx(0.2, rel=0.04)
    assert float(many.var()) == pytest.approx(1.0, rel=0.03)


def test_a_bridge_needs_a_given_image() -> None:
    with pytest.raises(InputError, match="a given image like the wanted one"):
        Deterministic(BridgePath(), 2).sample(
            knowing(torch.ones(1)), (1, 1, 2, 2), torch.Generator()
        )
    with pytest.raises(InputError, match="variance"):
        BridgePath(variance=-1.0)
