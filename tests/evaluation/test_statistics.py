"""Intervals and tests: hand-worked values, scipy, and coverage measured by simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test as scipy_permutation_test
from scipy.stats import wilcoxon

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.statistics import (
    holm,
    paired_test,
    permutation_test,
    summarise,
)


def names(n: int) -> list[str]:
    return [f"patient{k:03d}" for k in range(n)]


def test_summary_by_hand() -> None:
    values, patients = [1.0, 2.0, 3.0, 10.0, math.nan], ["a", "a", "b", "c", "c"]
    found = summarise(values, patients, numpy_stream(0, "test"))
    assert (found.value, found.median, found.q25, found.q75) == (4.0, 2.5, 1.75, 4.75)
    assert (found.n_patients, found.n_cases, found.n_dropped) == (3, 4, 1)


def test_the_interval_is_the_bootstrap_of_patients() -> None:
    values, patients = [0.0, 4.0, 5.0, 9.0], ["a", "a", "b", "c"]
    sums, counts = np.array([4.0, 5.0, 9.0]), np.array([2, 1, 1])
    # all 27 resamples of three patients, each as likely as the others
    exact = [
        sums[list(take)].sum() / counts[list(take)].sum()
        for take in itertools.product(range(3), repeat=3)
    ]
    found = summarise(values, patients, numpy_stream(0, "test"), n_boot=20_000)
    low, high = np.percentile(np.repeat(exact, 1000), [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("cases_each", [1, 6])
def test_the_interval_covers_the_truth(cases_each: int) -> None:
    rng = numpy_stream(1, "coverage", cases_each)
    patients = [name for name in names(40) for _ in range(cases_each)]
    hits = 0
    for _ in range(200):
        # cases of a patient lie together, so that case by case resampling would be too sure
        values = np.repeat(rng.normal(5, 2, 40), cases_each) + rng.normal(0, 0.5, len(patients))
        found = summarise(values, patients, rng, n_boot=150)
        hits += found.low <= 5 <= found.high
    assert 0.88 <= hits / 200 <= 0.98


def test_the_interval_narrows_with_patients_and_not_with_cases() -> None:
    rng = numpy_stream(2, "width")
    of_patients = rng.normal(0, 1, 50)
    once = summarise(of_patients, names(50), rng)
    tenfold = summarise(np.repeat(of_patients, 10), np.repeat(names(50), 10).tolist(), rng)
    assert tenfold.high - tenfold.low == pytest.approx(once.high - once.low, rel=0.1)
    assert once.high - once.low == pytest.approx(2 * 1.96 * of_patients.std() / 50**0.5, rel=0.1)


def test_the_same_generator_gives_the_same_interval() -> None:
    values = numpy_stream(3, "values").normal(size=20)
    one, two = (summarise(values, names(20), numpy_stream(0, "boot")) for _ in range(2))
    assert one == two


def test_nothing_and_one_patient() -> None:
    rng = numpy_stream(0, "test")
    nothing = summarise([math.nan, math.nan], ["a", "b"], rng)
    assert (nothing.n_patients, nothing.n_cases, nothing.n_dropped) == (0, 0, 2)
    assert math.isnan(nothing.value)
    one = summarise([1.0, 3.0], ["a", "a"], rng)
    assert one.value == 2.0
    assert math.isnan(one.low)
    assert math.isnan(one.high)


def test_a_perfect_image_makes_the_mean_infinite() -> None:
    found = summarise([30.0, 32.0, 31.0, math.inf], names(4), numpy_stream(0, "test"))
    assert found.value == math.inf
    assert found.median == 31.0
    assert found.high == math.inf
    assert 30 <= found.low <= 32


def test_one_patient_for_each_value() -> None:
    with pytest.raises(InputError, match="one patient for each case"):
        summarise([1.0, 2.0], ["a"], numpy_stream(0, "test"))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 30))
def test_wilcoxon_against_scipy(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.4, 1, n), rng.normal(0, 1, n)
    up = paired_test(a, b, names(n), "up")
    down = paired_test(a, b, names(n), "down")
    assert up.p_value == pytest.approx(wilcoxon(a - b, method="exact").pvalue)
    assert up.p_value == pytest.approx(down.p_value)
    assert up.effect == pytest.approx(-down.effect)
    assert up.median_difference == pytest.approx(np.median(a - b))
    swapped = paired_test(b, a, names(n), "up")
    assert swapped.p_value == pytest.approx(up.p_value)
    assert swapped.effect == pytest.approx(-up.effect)


def test_wilcoxon_by_hand() -> None:
    # five patients, all better with a: of 2^5 signs the two extreme ones, p = 2/32
    found = paired_test([2, 4, 6, 8, 10], [1, 2, 3, 4, 5], names(5), "up")
    assert found.p_value == pytest.approx(2 / 32)
    assert (found.effect, found.median_difference, found.n_patients) == (1.0, 3.0, 5)
    # ranks 1 to 4, one of rank 2 the other way: (8 - 2) / 10
    assert paired_test([1, -2, 3, 4], [0] * 4, names(4), "up").effect == pytest.approx(0.6)


def test_a_patient_counts_once() -> None:
    patients = ["a"] * 8 + ["b"] * 2 + ["c"]
    better = np.arange(1, 12) / 10
    found = paired_test(better, np.zeros(11), patients, "up")
    assert found.n_patients == 3
    assert found.p_value == pytest.approx(2 / 8)
    assert found.median_difference == pytest.approx(0.95)  # of the means 0.45, 0.95, 1.1


def test_direction_zero_compares_distances_from_zero() -> None:
    a, b = [-0.1, 0.2, -0.3, 0.1, 0.2], [-1.0, -2.0, 3.0, 1.5, 2.5]
    found = paired_test(a, b, names(5), "zero")
    assert found.effect == 1.0
    assert found.median_difference == pytest.approx(-1.8)


def test_pairs_with_nan_or_no_difference() -> None:
    a, b = [1.0, math.nan, 3.0, 4.0, 5.0], [1.0, 2.0, math.nan, 3.0, 3.0]
    found = paired_test(a, b, names(5), "up")
    assert (found.n_patients, found.n_dropped) == (3, 2)
    assert found.p_value == pytest.approx(2 / 4)  # two of the three differ
    same = paired_test([1.0, math.inf], [1.0, math.inf], names(2), "up")
    assert (same.p_value, same.effect, same.median_difference) == (1.0, 0.0, 0.0)
    assert math.isnan(paired_test([math.nan], [1.0], ["a"], "up").p_value)


def test_infinite_differences_have_ranks() -> None:
    found = paired_test([math.inf, 32, 33, 34, 35], [30, 31, 31, 31, 31], names(5), "up")
    assert found.p_value == pytest.approx(2 / 32)
    assert found.effect == 1.0


def test_p_values_are_uniform_where_nothing_differs() -> None:
    rng = numpy_stream(4, "null")
    p = [paired_test(*rng.normal(size=(2, 20)), names(20), "up").p_value for _ in range(400)]
    assert 0.02 <= np.mean(np.asarray(p) < 0.05) <= 0.09
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_permutation_against_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.5, 1, 8), rng.normal(0, 1, 8)
    wanted = scipy_permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert permutation_test(a, b, names(8), "up", rng) == pytest.approx(wanted)


def test_permutation_by_hand_and_by_chance() -> None:
    rng = numpy_stream(5, "signs")
    a, b = [2.0, 4.0, 6.0, 8.0], [1.0, 2.0, 3.0, 4.0]
    assert permutation_test(a, b, names(4), "down", rng) == pytest.approx(2 / 16)
    shifted = rng.normal(0.35, 1, 14)
    exact = permutation_test(shifted, np.zeros(14), names(14), "up", rng, n_permutations=2**14)
    drawn = permutation_test(shifted, np.zeros(14), names(14), "up", rng, n_permutations=8000)
    assert drawn == pytest.approx(exact, abs=0.02)
    many = permutation_test(np.ones(100), np.zeros(100), names(100), "up", rng, n_permutations=999)
    assert many == pytest.approx(1 / 1000)
    assert permutation_test([1.0, 2.0], [1.0, 2.0], names(2), "up", rng) == 1.0
    assert math.isnan(permutation_test([math.nan], [1.0], ["a"], "up", rng))
    with pytest.raises(InputError, match="finite"):
        permutation_test([math.inf, 1.0], [1.0, 2.0], names(2), "up", rng)


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04 times 4 3 2 1, then never falling
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.02]), [0.04, 0.06, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1.0, 1.0])
    np.testing.assert_allclose(holm([0.01, math.nan, 0.04]), [0.02, math.nan, 0.04])
    assert holm([]).shape == (0,)
    with pytest.raises(InputError, match="between 0 and 1"):
        holm([0.5, 1.5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_one_test_and_bonferroni(p_values: list[float]) -> None:
    given_p, adjusted = np.asarray(p_values), holm(p_values)
    assert (adjusted >= given_p).all()
    assert (adjusted <= np.minimum(given_p * len(p_values), 1) + 1e-15).all()
    order = np.argsort(given_p)
    assert (np.diff(adjusted[order]) >= 0).all()
