from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import (
    AlignedPath,
    BridgePath,
    ColdPath,
    CosinePath,
    KarrasPath,
    Path,
)
from vesalius.generative.samplers import Ddim, GivenTimes, LevelsOf, PartialPath

PATHS: tuple[Path, ...] = (
    CosinePath(),
    KarrasPath(),
    BridgePath(),
    ColdPath(),
    AlignedPath(CosinePath()),
)


def clean_at(value: float, seen: list[float]) -> object:
    """A network that always says ``value`` and notes the times at which it is asked."""

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is not None
        seen.append(float(time[0]))
        return torch.full_like(x, value)

    return predict


def test_a_published_schedule_is_followed() -> None:
    seen: list[float] = []
    sampler = Ddim(CosinePath(), 3, beginning=GivenTimes((1.0, 0.9, 0.2, 0.0)))
    drawn = sampler.sample(clean_at(0.25, seen), (1, 1, 2, 2), torch.Generator())  # type: ignore[arg-type]
    assert seen == pytest.approx([1.0, 0.9, 0.2])
    assert torch.allclose(drawn, torch.full_like(drawn, 0.25))


@pytest.mark.parametrize(
    ("stops", "said"),
    [
        ((1.0, 0.3, 0.5, 0.0), "0.5 after 0.3 at step 2"),
        ((1.0, 0.5, 0.5, 0.0), "0.5 after 0.5 at step 2"),
        ((0.9, 0.0), "times from 1 to 0"),
        ((1.0,), "times from 1 to 0"),
    ],
)
def test_a_schedule_that_does_not_fall_is_refused(stops: tuple[float, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        GivenTimes(stops)


def test_a_schedule_of_other_length_is_refused() -> None:
    sampler = Ddim(CosinePath(), 5, beginning=GivenTimes((1.0, 0.5, 0.0)))
    with pytest.raises(InputError, match=r"6 times for 5 steps, got 3.*sampler.steps=2"):
        sampler.sample(clean_at(0.0, []), (1, 1, 2, 2), torch.Generator())  # type: ignore[arg-type]


@pytest.mark.parametrize("time", [-0.1, 1.5, 250.0])
@pytest.mark.parametrize("path", PATHS, ids=[type(path).__name__ for path in PATHS])
def test_a_level_off_the_path_is_refused(path: Path, time: float) -> None:
    image = torch.zeros(2, 1, 4, 4)
    with pytest.raises(InputError, match="times from 0 to 1"):
        path.perturb(image, torch.tensor([0.5, time]), image, image)


@pytest.mark.usefixtures("in_double")
def test_another_paths_levels_draw_that_paths_images(exact: Callable[..., Any]) -> None:
    """One network, asked at EDM's levels, is EDM: the states are the same up to the signal."""
    mixture = ((0.3, -0.5, 0.2), (0.7, 0.5, 0.1))
    cosine, edm = CosinePath(data_std=0.5), KarrasPath(data_std=0.5)
    levels = LevelsOf(edm)
    times = levels.times(cosine, 9)
    assert torch.allclose(cosine.ratio(times[:-1]), edm.ratio(edm.times(9))[:-1], rtol=1e-9)
    assert (times.diff() < 0).all()
    assert float(times[-1]) == 0
    drawn = [
        kind.sample(exact(path, mixture), (1, 1, 8, 8), torch.Generator().manual_seed(0))
        for path, kind in ((cosine, Ddim(cosine, 9, beginning=levels)), (edm, Ddim(edm, 9)))
    ]
    assert torch.allclose(drawn[0], drawn[1], atol=1e-6)
    with pytest.raises(InputError, match="a Gaussian path"):
        levels.times(BridgePath(), 4)


@pytest.mark.parametrize("time", [0.0, -1.0, 1.01])
def test_a_partial_path_begins_on_the_path(time: float) -> None:
    with pytest.raises(InputError, match="a time above 0 and at most 1"):
        PartialPath(time)


def test_a_noisy_image_is_a_state_and_a_clean_one_is_noised() -> None:
    path, given = KarrasPath(), torch.full((1, 1, 64, 64), 3.0)
    time, rng = torch.tensor(0.4, dtype=torch.float64), torch.Generator().manual_seed(0)
    as_it_is = PartialPath(0.4, noised=False).state(path, time, (1, 1, 64, 64), rng, given)
    assert torch.equal(as_it_is, given)
    noised = PartialPath(0.4).state(path, time, (1, 1, 64, 64), rng, given)
    assert float((noised - given).std()) == pytest.approx(float(path.noise(time)), rel=0.05)
    times = PartialPath(0.4).times(path, 7)
    assert len(times) == 8
    assert (float(times[0]), float(times[-1])) == (0.4, 0.0)
    assert (times.diff() < 0).all()
    with pytest.raises(InputError, match="an image like the wanted one"):
        PartialPath(0.4).state(path, time, (1, 1, 2, 2), rng, None)
