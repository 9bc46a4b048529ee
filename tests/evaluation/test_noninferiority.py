"""Non-inferiority: error rate at the margin by simulation, direction, and what cannot be tested."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.noninferiority import non_inferiority


def names(n: int) -> list[str]:
    return [f"patient{k:03d}" for k in range(n)]


@pytest.mark.parametrize("n", [8, 30])
def test_at_the_margin_it_errs_as_often_as_it_says(n: int) -> None:
    rng = numpy_stream(0, "margin", n)
    shown = 0
    for _ in range(400):
        reference = rng.normal(30, 3, n)
        values = reference - 1.0 + rng.normal(0, 1, n)  # the loss is the margin itself
        found = non_inferiority(values, reference, names(n), "up", 1.0, rng, n_boot=400)
        shown += found.shown
    assert 0.008 <= shown / 400 <= 0.05


def test_bound_and_p_value_are_those_of_a_paired_t_test_for_normal_gains() -> None:
    rng = numpy_stream(1, "normal")
    reference = rng.normal(0, 1, 60)
    gains = rng.normal(-0.2, 1, 60)
    found = non_inferiority(reference + gains, reference, names(60), "up", 0.6, rng)
    error = gains.std(ddof=1) / math.sqrt(60)
    assert found.gain == pytest.approx(gains.mean())
    assert found.bound == pytest.approx(gains.mean() - student.ppf(0.975, 59) * error, abs=0.02)
    assert found.p_value == pytest.approx(student.sf((gains.mean() + 0.6) / error, 59), rel=0.5)
    assert found.shown == (found.bound > -0.6)


def test_directions() -> None:
    a, b = np.array([1.0, 1.2, 0.9, 1.1] * 5), np.array([2.0, 2.1, 2.2, 1.9] * 5)
    rng = numpy_stream(2, "direction")
    down = non_inferiority(a, b, names(20), "down", 0.1, rng)
    up = non_inferiority(a, b, names(20), "up", 0.1, rng)
    zero = non_inferiority(-a, b, names(20), "zero", 0.1, rng)
    assert down.gain == pytest.approx(1.0)
    assert up.gain == pytest.approx(-1.0)
    assert zero.gain == pytest.approx(1.0)
    assert (down.shown, up.shown, zero.shown) == (True, False, True)
    assert up.p_value > 0.99


def test_patients_and_not_cases_count() -> None:
    rng = numpy_stream(3, "patients")
    gains = rng.normal(0, 1, 12)
    once = non_inferiority(gains, np.zeros(12), names(12), "up", 0.5, rng)
    repeated = non_inferiority(
        np.repeat(gains, 9), np.zeros(108), np.repeat(names(12), 9).tolist(), "up", 0.5, rng
    )
    assert repeated.n_patients == 12
    assert repeated.bound == pytest.approx(once.bound, abs=0.05)


def test_a_larger_margin_is_shown_more_easily() -> None:
    gains = numpy_stream(4, "gains").normal(-0.1, 1, 25)
    p_values = [
        non_inferiority(gains, np.zeros(25), names(25), "up", m, numpy_stream(4, "b")).p_value
        for m in (0.1, 0.3, 0.6, 1.0)
    ]
    assert p_values == sorted(p_values, reverse=True)
    assert p_values[0] > 0.2
    assert p_values[-1] < 0.01


def test_undefined_cases_are_dropped_and_one_patient_tests_nothing() -> None:
    rng = numpy_stream(5, "few")
    found = non_inferiority([1.0, math.nan, 3.0], [1.0, 1.0, 1.0], names(3), "up", 1.0, rng)
    assert (found.n_patients, found.n_dropped, found.gain) == (2, 1, 1.0)
    one = non_inferiority([1.0], [1.0], ["a"], "up", 1.0, rng)
    assert math.isnan(one.p_value)
    assert not one.shown
    none = non_inferiority([math.nan], [1.0], ["a"], "up", 1.0, rng)
    assert math.isnan(none.gain)


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_a_margin_is_positive(margin: float) -> None:
    with pytest.raises(InputError, match="positive margin"):
        non_inferiority([1.0], [1.0], ["a"], "up", margin, numpy_stream(0, "m"))


def test_infinite_differences_have_no_mean() -> None:
    with pytest.raises(InputError, match="finite differences"):
        non_inferiority([math.inf, 1.0], [1.0, 1.0], names(2), "up", 1.0, numpy_stream(0, "m"))
    both = non_inferiority(
        [math.inf, 1.0], [math.inf, 1.0], names(2), "up", 1.0, numpy_stream(0, "m")
    )
    assert both.gain == 0.0
