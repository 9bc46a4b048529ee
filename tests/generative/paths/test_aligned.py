from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import InputError
from vesalius.generative.paths import AlignedPath, CosinePath, KarrasPath, LinearBetaPath
from vesalius.generative.samplers import Deterministic

ALIGNED = st.builds(
    AlignedPath,
    st.sampled_from([CosinePath(0.5), LinearBetaPath(0.5), KarrasPath(0.5, noise_max=2.0)]),
    reach=st.floats(0.05, 0.9),
)


@given(ALIGNED, st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3), st.integers(0, 99))
def test_predictions_are_exact_inverses(path: AlignedPath, times: list[float], seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    clean, noise, given_image = torch.randn(3, 3, 1, 3, 3, generator=rng, dtype=torch.float64)
    time = torch.tensor(times, dtype=torch.float64)
    state = path.perturb(clean, time, noise, given_image)
    for kind in path.kinds:
        target = path.target(kind, clean, noise, time, given_image)
        found = path.denoised(kind, target, state, time, given_image)
        assert torch.allclose(found, clean, atol=1e-8), kind


def test_latents_meet_at_the_far_end() -> None:
    """At time one the state knows the given image alone; at zero the clean one alone."""
    path = AlignedPath(CosinePath(0.5), reach=0.4)
    rng = torch.Generator().manual_seed(0)
    clean, other, noise, given_image = torch.randn(4, 2, 1, 3, 3, generator=rng)
    one, zero = torch.ones(2), torch.zeros(2)
    assert torch.allclose(
        path.perturb(clean, one, noise, given_image), path.perturb(other, one, noise, given_image)
    )
    expected = path.whole.perturb(given_image, torch.full((2,), 0.4), noise)
    assert torch.allclose(path.perturb(clean, one, noise, given_image), expected)
    assert torch.allclose(path.perturb(clean, zero, noise, given_image), clean)
    start = path.start((2, 1, 3, 3), torch.Generator().manual_seed(1), given_image)
    drawn = path.draw_noise((2, 1, 3, 3), torch.Generator().manual_seed(1))
    assert torch.allclose(start, path.whole.perturb(given_image, torch.full((2,), 0.4), drawn))


def test_a_perfect_network_stays_on_its_path() -> None:
    path = AlignedPath(LinearBetaPath(0.5), reach=0.5)
    rng = torch.Generator().manual_seed(0)
    clean, noise, given_image = torch.randn(3, 1, 1, 3, 3, generator=rng, dtype=torch.float64)
    now, then = torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    state = path.perturb(clean, now[None], noise, given_image)
    expected = path.perturb(clean, then[None], noise, given_image)
    assert torch.allclose(path.move(state, clean, now, then, given_image), expected)
    drawn = Deterministic(path, steps=3).sample(
        lambda x, time: clean, (1, 1, 3, 3), rng, given_image
    )
    assert torch.allclose(drawn, clean)


def test_impossible_ones_are_refused() -> None:
    with pytest.raises(InputError, match="reach"):
        AlignedPath(CosinePath(), reach=1.0)
    with pytest.raises(InputError, match="a given image"):
        AlignedPath(CosinePath()).start((1, 1, 2, 2), torch.Generator())
