"""Friedman and Nemenyi: SciPy, the published table of critical values, worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.critical_difference import cliques, critical_difference

# Demsar 2006, table 5a: critical values of the two-tailed Nemenyi test at 0.05
NEMENYI = {
    2: 1.960,
    3: 2.343,
    4: 2.569,
    5: 2.728,
    6: 2.850,
    7: 2.949,
    8: 3.031,
    9: 3.102,
    10: 3.164,
}


def names(n: int) -> list[str]:
    return [f"patient{k:03d}" for k in range(n)]


@pytest.mark.parametrize("k", NEMENYI)
def test_distance_is_that_of_the_published_table(k: int) -> None:
    rng = numpy_stream(0, "table", k)
    values = {f"s{i}": rng.normal(size=14) for i in range(k)}
    found = critical_difference(values, names(14), "up")
    assert found.distance == pytest.approx(NEMENYI[k] * math.sqrt(k * (k + 1) / (6 * 14)), rel=1e-3)


def test_mean_ranks_by_hand() -> None:
    values = {"a": [3.0, 3.0, 1.0], "b": [2.0, 3.0, 2.0], "c": [1.0, 1.0, 3.0]}
    found = critical_difference(values, names(3), "up")
    assert found.mean_ranks == pytest.approx({"a": 5.5 / 3, "b": 5.5 / 3, "c": 7 / 3})
    down = critical_difference(values, names(3), "down")
    assert down.mean_ranks == pytest.approx({name: 4 - r for name, r in found.mean_ranks.items()})
    assert down.order[0] == "c"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), k=st.integers(3, 6), n=st.integers(3, 20))
def test_friedman_against_scipy(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values = {f"s{i}": rng.normal(i * 0.3, 1, n) for i in range(k)}
    found = critical_difference(values, names(n), "up")
    expected = friedmanchisquare(*values.values())
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert sum(found.mean_ranks.values()) == pytest.approx(k * (k + 1) / 2)


def test_patients_are_the_blocks() -> None:
    rng = numpy_stream(1, "blocks")
    values = {f"s{i}": rng.normal(i, 1, 10) for i in range(3)}
    once = critical_difference(values, names(10), "up")
    repeated = critical_difference(
        {name: np.repeat(v, 4) for name, v in values.items()},
        np.repeat(names(10), 4).tolist(),
        "up",
    )
    assert repeated == once


def test_zero_ranks_by_size_and_infinities_have_ranks() -> None:
    values = {"a": [-3.0, -3.0], "b": [1.0, 1.0], "c": [2.0, math.inf]}
    found = critical_difference(values, names(2), "zero")
    assert found.mean_ranks == {"a": 2.5, "b": 1.0, "c": 2.5}


def test_ties_everywhere_and_too_few() -> None:
    same = {name: [1.0, 2.0, 3.0] for name in "abc"}
    found = critical_difference(same, names(3), "up")
    assert (found.statistic, found.p_value) == (0.0, 1.0)
    assert found.groups() == (("a", "b", "c"),)
    two = critical_difference({"a": [1.0, 2.0], "b": [2.0, 3.0]}, names(2), "up")
    assert math.isnan(two.p_value)
    assert two.mean_ranks == {"a": 2.0, "b": 1.0}
    nobody = critical_difference({"a": [math.nan], "b": [1.0]}, ["p"], "up")
    assert nobody.n_patients == 0
    assert math.isnan(nobody.distance)
    with pytest.raises(InputError, match="two systems"):
        critical_difference({"a": [1.0]}, ["p"], "up")
    with pytest.raises(InputError, match="one patient for each case"):
        critical_difference({"a": [1.0], "b": [1.0]}, [], "up")


def test_nemenyi_tells_the_far_apart() -> None:
    rng = numpy_stream(2, "far")
    base = rng.normal(size=30)
    values = {name: base + rng.normal(0, 1, 30) - 9 * (name in "cd") for name in "abcd"}
    groups = critical_difference(values, names(30), "up").groups()
    assert [set(group) for group in groups] == [{"a", "b"}, {"c", "d"}]


def test_cliques() -> None:
    apart = {frozenset("ac"), frozenset("ad"), frozenset("bd")}
    found = cliques("abcd", lambda a, b: frozenset((a, b)) in apart)
    assert found == (("a", "b"), ("b", "c"), ("c", "d"))
    assert cliques("abc", lambda a, b: True) == ()
    assert cliques("abc", lambda a, b: False) == (("a", "b", "c"),)
    # a pair that is apart parts a run although its neighbours are together
    assert cliques("abc", lambda a, b: {a, b} == {"a", "c"}) == (("a", "b"), ("b", "c"))
