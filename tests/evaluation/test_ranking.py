"""Ranks over resamples: by hand, against SciPy's Kendall tau, and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.ranking import rank_stability, resampled_means
from vesalius.evaluation.statistics import summarise


def names(n: int) -> list[str]:
    return [f"patient{k:03d}" for k in range(n)]


def test_shares_by_hand() -> None:
    observed = {"a": 3.0, "b": 2.0, "c": 1.0}
    resampled = {"a": [3.0, 1.0, 3.0, 2.0], "b": [2.0, 2.0, 3.0, 1.0], "c": [1.0, 3.0, 1.0, 1.0]}
    found = rank_stability(observed, resampled, "up")
    assert found.ranks == {"a": 1, "b": 2, "c": 3}
    assert found.shares["a"] == (0.75, 0.0, 0.25)
    assert found.shares["b"] == (0.25, 0.75, 0.0)  # the third resample: both share rank 1
    assert found.shares["c"] == (0.25, 0.25, 0.5)
    assert found.mean_ranks == {"a": 1.625, "b": 2.0, "c": 2.375}
    assert found.order == ("a", "b", "c")


def test_direction_turns_the_ranking() -> None:
    observed = {"a": -3.0, "b": 2.0, "c": 1.0}
    resampled = {name: [value] * 5 for name, value in observed.items()}
    orders = [rank_stability(observed, resampled, d).order for d in ("up", "down", "zero")]
    assert orders == [("b", "c", "a"), ("a", "c", "b"), ("c", "b", "a")]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), k=st.integers(2, 6))
def test_tau_against_scipy(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    systems = [f"s{i}" for i in range(k)]
    observed = dict(zip(systems, rng.integers(0, 4, k).astype(float).tolist(), strict=True))
    resampled = {name: rng.integers(0, 4, 7).astype(float) for name in systems}
    found = rank_stability(observed, resampled, "down")
    expected = [
        kendalltau(list(observed.values()), [resampled[name][i] for name in systems]).statistic
        for i in range(7)
    ]
    known = [x for x in expected if not math.isnan(x)]
    assert found.tau == pytest.approx(np.mean(known) if known else math.nan, nan_ok=True)


def test_clear_leads_are_stable_and_chance_is_not() -> None:
    rng = numpy_stream(0, "ranks")
    base = rng.normal(0, 1, 40)
    values = {"best": base + 2, "twin": base + rng.normal(0, 1, 40), "other": base * 1.0}
    means, resampled = resampled_means(values, names(40), "up", rng, 500)
    found = rank_stability(means, resampled, "up")
    assert found.shares["best"][0] == 1.0
    assert 0.02 < found.shares["twin"][1] < 0.98
    assert sum(found.shares["twin"]) == pytest.approx(1.0)


def test_means_are_those_of_summaries_and_patients_are_resampled() -> None:
    rng = numpy_stream(1, "means")
    patients = [p for p in names(15) for _ in range(3)]
    values = rng.normal(5, 1, 45) + np.repeat(rng.normal(0, 2, 15), 3)
    means, resampled = resampled_means({"a": values, "b": values + 1}, patients, "up", rng, 3000)
    summary = summarise(values, patients, rng)
    assert means["a"] == pytest.approx(summary.value)
    assert np.percentile(resampled["a"], 2.5) == pytest.approx(summary.low, abs=0.15)
    np.testing.assert_allclose(resampled["b"] - resampled["a"], 1.0)  # resampled alike


def test_undefined_cases_are_left_out_for_all() -> None:
    rng = numpy_stream(2, "nan")
    values = {"a": [1.0, math.nan, 3.0], "b": [5.0, 100.0, 7.0]}
    means, _ = resampled_means(values, names(3), "up", rng, 10)
    assert means == {"a": 2.0, "b": 6.0}
    means, resampled = resampled_means({"a": [math.nan], "b": [1.0]}, ["p"], "up", rng, 10)
    assert math.isnan(means["a"])
    found = rank_stability(means, resampled, "up")
    assert found.n_resamples == 0
    assert math.isnan(found.tau)


def test_what_is_not_defined_comes_last() -> None:
    found = rank_stability({"a": math.nan, "b": -9.0}, {"a": [1.0], "b": [0.0]}, "up")
    assert found.ranks == {"a": 2, "b": 1}


def test_all_equal_is_a_tie() -> None:
    found = rank_stability({"a": 1.0, "b": 1.0}, {"a": [1.0] * 3, "b": [1.0] * 3}, "up")
    assert found.ranks == {"a": 1, "b": 1}
    assert found.mean_ranks == {"a": 1.5, "b": 1.5}
    assert math.isnan(found.tau)


def test_one_system_has_no_rank() -> None:
    with pytest.raises(InputError, match="two systems"):
        rank_stability({"a": 1.0}, {"a": [1.0]}, "up")
