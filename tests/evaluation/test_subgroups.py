"""Subgroups: by hand, exact permutations, error rate under no difference, bands."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.measures import CaseValues, Measure
from vesalius.evaluation.subgroup_findings import Column, subgroup_findings
from vesalius.evaluation.subgroups import banded, bands, subgroup_table, thirds


def names(n: int) -> list[str]:
    return [f"patient{k:03d}" for k in range(n)]


def test_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 10.0, 12.0, math.nan, 7.0]
    labels = ["a", "a", "a", "b", "b", "b", None]
    found = subgroup_table("site", values, names(7), labels, "down", numpy_stream(0, "s"))
    by_name = dict(found.groups)
    assert [name for name, _ in found.groups] == ["a", "b"]
    assert (by_name["a"].value, by_name["a"].median, by_name["a"].n_patients) == (2.0, 2.0, 3)
    assert (by_name["b"].value, by_name["b"].n_patients, by_name["b"].n_dropped) == (11.0, 2, 1)
    assert (found.worst, found.gap, found.n_missing) == ("b", 9.0, 1)


def test_p_value_is_that_of_all_exchanges() -> None:
    values = np.array([1.0, 4.0, 2.0, 8.0, 9.0, 6.0])
    labels = ["a", "a", "a", "b", "b", "b"]
    found = subgroup_table(
        "x", values, names(6), labels, "down", numpy_stream(1, "p"), n_permutations=20_000
    )
    observed = values[3:].mean() - values[:3].mean()
    # of two groups of one size, the larger gap is the difference of means without its sign
    gaps = []
    for taken in itertools.combinations(range(6), 3):
        rest = [k for k in range(6) if k not in taken]
        gaps.append(abs(values[list(taken)].mean() - values[rest].mean()))
    expected = np.mean(np.array(gaps) >= observed - 1e-12)
    assert found.p_value == pytest.approx(expected, abs=0.01)


def test_direction() -> None:
    values, labels = [1.0, 1.1, -5.0, -5.1], ["a", "a", "b", "b"]
    worst = {
        d: subgroup_table("x", values, names(4), labels, d, numpy_stream(2, "d")).worst
        for d in ("up", "down", "zero")
    }
    assert worst == {"up": "b", "down": "a", "zero": "b"}


def test_without_a_difference_it_errs_as_often_as_it_says() -> None:
    rng = numpy_stream(3, "null")
    labels = ["a"] * 5 + ["b"] * 9 + ["c"] * 16
    hits = 0
    for _ in range(120):
        values = rng.exponential(1, 30)
        found = subgroup_table("x", values, names(30), labels, "up", rng, n_permutations=99)
        hits += found.p_value <= 0.1
    assert 0.04 <= hits / 120 <= 0.17


def test_many_cases_of_a_patient_are_no_evidence() -> None:
    rng = numpy_stream(4, "clusters")
    patients = np.repeat(names(12), 20).tolist()
    labels = ["a"] * 120 + ["b"] * 120
    hits = 0
    for _ in range(40):
        values = np.repeat(rng.normal(0, 1, 12), 20) + rng.normal(0, 0.1, 240)
        found = subgroup_table("x", values, patients, labels, "up", rng, n_permutations=99)
        hits += found.p_value <= 0.05
    assert hits <= 7


def test_lesions_of_one_patient_may_be_in_several_groups() -> None:
    rng = numpy_stream(5, "lesions")
    patients = [p for p in names(15) for _ in range(2)]
    size = ["small", "large"] * 15
    of_patient = np.repeat(rng.normal(0, 5, 15), 2)
    worse = of_patient - np.tile([1.0, 0.0], 15) + rng.normal(0, 0.3, 30)
    found = subgroup_table("size", worse, patients, size, "up", rng)
    assert found.worst == "small"
    # exchanged within patients, whose own level is five times the gap
    assert found.p_value < 0.01
    mixed = [*size[:20], *["large"] * 10]
    level = worse - of_patient
    assert subgroup_table("size", level, patients, mixed, "up", rng).worst == "small"


def test_groups_of_one_patient_are_shown_and_never_the_worst() -> None:
    values, labels = [5.0, 5.1, 4.9, -90.0], ["a", "a", "b", "c"]
    found = subgroup_table("x", values, names(4), labels, "up", numpy_stream(6, "one"))
    assert len(found.groups) == 3
    assert found.worst is None
    assert math.isnan(found.p_value)
    labels = ["a", "a", "b", "b"]
    assert subgroup_table("x", values, names(4), labels, "up", numpy_stream(6, "one")).worst == "b"


def test_nothing_known() -> None:
    found = subgroup_table("x", [1.0, 2.0], names(2), [None, None], "up", numpy_stream(0, "n"))
    assert (found.groups, found.worst, found.n_missing) == ((), None, 2)


def test_order_and_errors() -> None:
    rng = numpy_stream(0, "o")
    found = subgroup_table("x", [1.0, 2.0, 3.0], names(3), ["c", "b", "a"], "up", rng, order="bz")
    assert [name for name, _ in found.groups] == ["b", "a", "c"]
    with pytest.raises(InputError, match="finite values"):
        subgroup_table("x", [math.inf], ["p"], ["a"], "up", rng)
    with pytest.raises(InputError, match="for each case"):
        subgroup_table("x", [1.0], ["p"], [], "up", rng)


@given(
    numbers=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    edges=st.lists(st.floats(-100, 100), max_size=5, unique_by=lambda x: f"{x:g}").map(sorted),
)
def test_every_number_has_a_band_in_order(numbers: list[float], edges: list[float]) -> None:
    found = banded(numbers, edges)
    order = {name: place for place, name in enumerate(bands(edges))}
    places = [order[name] for name in found if name is not None]
    assert len(places) == len(numbers)
    by_number = [place for _, place in sorted(zip(numbers, places, strict=True))]
    assert by_number == sorted(by_number)


def test_bands() -> None:
    assert banded([0.0, 10.0, 9.9, 20.0, math.nan, None], (10, 20)) == [
        "under 10", "10 to under 20", "under 10", "20 and over", None, None,
    ]  # fmt: skip
    assert thirds(list(range(1, 10))) == pytest.approx((3.67, 6.33))
    assert thirds([1.0, 1.0, 1.0, 1.0, 1.0, 5.0]) == ()
    assert bands(()) == ("all",)
    with pytest.raises(InputError, match="edges that rise"):
        bands((3, 3))


def test_findings_are_adjusted_over_metrics_systems_and_columns() -> None:
    rng = numpy_stream(7, "holm")
    labels = tuple(["a"] * 10 + ["b"] * 10)
    bad = np.where(np.array(labels) == "b", -3.0, 0.0) + rng.normal(0, 1, 20)
    one = CaseValues(
        Measure("m", "pixel", "1", "up"),
        tuple(names(20)),
        {"bad": bad, "fair": rng.normal(0, 1, 20), "broken": np.full(20, np.inf)},
    )
    columns = {"test": (Column("site", labels), Column("odd", tuple("xy" * 10)))}
    found = subgroup_findings([one], columns, 0)
    assert {(f.system, f.table.column) for f in found} == {
        (system, column) for system in ("bad", "fair") for column in ("site", "odd")
    }
    first = next(f for f in found if f.system == "bad" and f.table.column == "site")
    assert first.detected
    assert first.p_holm == pytest.approx(4 * first.table.p_value)
    assert not any(f.detected for f in found if f is not first)
    assert subgroup_findings([one], columns, 0) == found
