"""The absorbing path against the law that defines it."""

from __future__ import annotations

import math
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Call, InputError, Recipe
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import HIDDEN, AbsorbingPath
from vesalius.generative.samplers import Ddim

Schedule = Literal["cosine", "linear"]
SCHEDULES: tuple[Schedule, ...] = ("cosine", "linear")


def test_what_is_kept_by_hand() -> None:
    time = torch.tensor([0.0, 1 / 3, 0.5, 1.0], dtype=torch.float64)
    linear = AbsorbingPath("linear").keep(time)
    assert linear.tolist() == pytest.approx([1, 2 / 3, 0.5, 0])
    cosine = AbsorbingPath("cosine").keep(time)
    assert cosine.tolist() == pytest.approx([1, 0.5, 1 - math.sqrt(0.5), 0], abs=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_tokens_are_hidden_by_themselves_with_the_right_probability(schedule: Schedule) -> None:
    path, rng = AbsorbingPath(schedule), torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 5, (4, 100, 100), generator=rng)
    time = torch.tensor([0.0, 0.3, 0.7, 1.0])
    state, hidden = path.perturb(tokens, time, rng)
    assert torch.equal(state == HIDDEN, hidden)
    assert torch.equal(state[~hidden], tokens[~hidden])
    shares = hidden.double().mean(dim=(1, 2))
    assert (shares[0], shares[3]) == (0, 1)
    expected = 1 - path.keep(time).double()
    assert torch.allclose(shares, expected, atol=4 * 0.5 / 100), "four standard errors"
    neighbours = (hidden[1:3, 1:] & hidden[1:3, :-1]).double().mean(dim=(1, 2))
    assert torch.allclose(neighbours, expected[1:3] ** 2, atol=0.03), "no token knows another"
    assert torch.equal(path.start((2, 3), rng), torch.full((2, 3), HIDDEN))


@given(st.sampled_from(SCHEDULES), st.floats(0.02, 1.0), st.floats(0.0, 0.99))
def test_the_way_back_undoes_the_way_there(schedule: Schedule, now: float, part: float) -> None:
    """Bayes: hidden at now = hidden at then, or shown at then and hidden between."""
    path = AbsorbingPath(schedule)
    late, early = torch.tensor([now, now * part], dtype=torch.float64)
    shown = float(path.shown(late, early))
    assert 0 <= shown <= 1
    keep_late, keep_early = float(path.keep(late)), float(path.keep(early))
    hidden_between = 1 - keep_late / keep_early  # given that it shows at the earlier time
    by_bayes = keep_early * hidden_between / (1 - keep_late)
    assert shown == pytest.approx(by_bayes, abs=1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_bounds_weight_is_the_rate_of_showing(schedule: Schedule) -> None:
    path = AbsorbingPath(schedule)
    time = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    step = 1e-7
    rate = path.shown(time, time - step) / step
    assert torch.allclose(path.bound_weight(time), rate, rtol=1e-5)


def test_times_to_train_at_are_above_zero_and_cover_the_path() -> None:
    path = AbsorbingPath()
    drawn = path.draw_times(1000, torch.Generator().manual_seed(0))
    assert 0 < float(drawn.min()) < 2e-3
    assert 0.998 < float(drawn.max()) <= 1
    assert torch.isfinite(path.bound_weight(drawn)).all()
    assert torch.equal(path.times(4), torch.tensor([1, 0.75, 0.5, 0.25, 0], dtype=torch.float64))


def test_continuous_objectives_refuse_it() -> None:
    with pytest.raises(InputError, match="expected a Path for Denoising, got AbsorbingPath"):
        Recipe(
            name="r",
            summary="",
            task=Call(AbsorbingPath),
            networks={},
            path=Call(AbsorbingPath),
            objective=Call(Denoising),
            sampler=Call(Ddim),
        )
