from __future__ import annotations

import doctest
import importlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalius.reports import numbers


@pytest.mark.parametrize("name", ["numbers", "content", "charts"])
def test_examples_in_docstrings(name):
    result = doctest.testmod(importlib.import_module(f"vesalius.reports.{name}"), extraglobs=None)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("value", "low", "high", "text", "span"),
    [
        (12.34, 10.98, 13.87, "12.3", "11.0 to 13.9"),
        (0.93421, 0.9291, 0.9388, "0.9342", "0.9291 to 0.9388"),
        (-1.21, -2.1, 0.3, "−1.2", "−2.1 to 0.3"),
        (1543.2, 1203.0, 1911.0, "1543", "1203 to 1911"),
        (12.0, 12.0, 12.0, "12.0", "12.0 to 12.0"),
        (float("inf"), 30.0, float("inf"), "inf", "30.00 to inf"),
        (float("nan"), float("nan"), float("nan"), "not defined", "not defined to not defined"),
        (0.0, 0.0, 0.0, "0.00", "0.00 to 0.00"),
        (2.5e-8, 2e-8, 3e-8, "2.5 × 10⁻⁸", "2 × 10⁻⁸ to 3 × 10⁻⁸"),
    ],
)
def test_digits_follow_the_interval(value, low, high, text, span):
    decimals = numbers.decimals_for(value, low, high)
    assert numbers.number(value, decimals) == text
    assert numbers.interval(low, high, decimals) == span


@given(st.floats(-1e8, 1e8))
def test_three_digits_are_never_far_off(value):
    text = numbers.number(value)
    plain = text.replace("−", "-").replace("\u202f", "")
    if "×" not in plain:
        assert math.isclose(float(plain), value, rel_tol=6e-3, abs_tol=6e-7)
    assert not text.startswith("−0.000000") or "×" in text


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_no_negative_zero(value, decimals):
    text = numbers.number(value, decimals)
    assert not (text.startswith("−") and set(text) <= set("−0."))


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "p < 0.001"),
        (0.00099, "p < 0.001"),
        (0.0212, "p = 0.021"),
        (0.34, "p = 0.34"),
        (0.04996, "p = 0.04996"),
        (0.05, "p = 0.050"),
        (1.0, "p = 1.00"),
        (None, "not tested"),
        (float("nan"), "not tested"),
    ],
)
def test_p_values(p, text):
    assert numbers.p_value(p) == text


@given(st.floats(0.001, 1))
def test_a_printed_p_value_stays_on_its_side(p):
    printed = float(numbers.p_value(p).removeprefix("p = "))
    assert (printed < 0.05) == (p < 0.05)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.99, "60.0 s"), (60, "1 min"), (3600, "1 h"), (3599.6, "1 h"), (math.inf, "inf")],
)
def test_durations(seconds, text):
    assert numbers.duration(seconds) == text


def test_units():
    assert numbers.with_unit("not defined", "HU") == "not defined"
    assert numbers.with_unit("5", "") == "5"
