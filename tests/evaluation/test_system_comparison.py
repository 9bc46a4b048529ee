"""Several systems: pairs, ranks, winners, and the adjustment for all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import wilcoxon

from vesalius.core.rng import numpy_stream
from vesalius.evaluation.margins import margin_tests
from vesalius.evaluation.measures import CaseValues, Measure, WholeValues
from vesalius.evaluation.set_comparison import compared_sets
from vesalius.evaluation.statistics import holm
from vesalius.evaluation.system_comparison import compare_systems
from vesalius.metrics.feature import EnergyDistance


def names(n: int) -> tuple[str, ...]:
    return tuple(f"patient{k:03d}" for k in range(n))


def measured(metric: str = "mae", direction: str = "down", group: str = "test") -> CaseValues:
    rng = numpy_stream(0, "values", group)
    base = rng.normal(20, 4, 25)
    values = {
        "good": base - 3 + rng.normal(0, 0.5, 25),
        "twin": base - 3 + rng.normal(0, 0.5, 25),
        "bad": base + rng.normal(0, 0.5, 25),
    }
    return CaseValues(Measure(metric, "pixel", "HU", direction, group), names(25), values)  # type: ignore[arg-type]


def test_pairs_are_adjusted_over_the_group() -> None:
    one, two = measured(), measured("psnr", "up")
    other = measured(group="shifted")
    found = compare_systems([one, two, other], [], seed=0, n_boot=200)
    assert found.n_tests == {"test": 6, "shifted": 3}
    pairs = [pair for item in found.of("test") for pair in item.pairs]
    raw = [
        wilcoxon(case.values[a] - case.values[b]).pvalue
        for case in (one, two)
        for a, b in (("good", "twin"), ("good", "bad"), ("twin", "bad"))
    ]
    assert [pair.p_value for pair in pairs] == pytest.approx(raw)
    assert [pair.p_holm for pair in pairs] == pytest.approx(holm(raw).tolist())
    pair = found.measures[0].pair("bad", "good")
    assert (pair.a, pair.b) == ("good", "bad")
    assert pair.gain == pytest.approx((one.values["bad"] - one.values["good"]).mean())
    assert pair.low < pair.gain < pair.high
    assert pair.effect == 1.0
    assert pair.p_permutation < 0.001


def test_nobody_wins_whom_a_twin_equals() -> None:
    down, up = compare_systems([measured(), measured("psnr", "up")], [], seed=0).measures
    assert down.winner is None
    assert down.leader in ("good", "twin")
    assert set(down.together[0]) == {"good", "twin"}
    assert len(down.together) == 1
    assert up.winner == "bad"
    assert up.order[0] == "bad"
    assert down.critical is not None
    assert down.mean_ranks == down.critical.mean_ranks


def test_the_seed_is_all_that_chance_hangs_on() -> None:
    one, two, other = (compare_systems([measured()], [], seed=s, n_boot=100) for s in (3, 3, 4))
    assert one == two
    assert one != other


def test_infinite_values_are_ranked_and_have_no_gain() -> None:
    values = {"a": np.array([30.0, 31.0, math.inf, 33.0]), "b": np.array([29.0, 30.0, 31.0, 32.0])}
    one = CaseValues(Measure("psnr", "pixel", "dB", "up"), names(4), values)
    found = compare_systems([one], [], seed=0, n_boot=50).measures[0]
    pair = found.pairs[0]
    assert math.isnan(pair.gain)
    assert math.isnan(pair.p_permutation)
    assert pair.p_value == pytest.approx(0.125)
    assert found.leader == "a"
    assert margin_tests([one], "b", {"psnr": 1.0}, 0) == ()


def test_a_metric_that_is_defined_for_no_case() -> None:
    values = {name: np.full(5, np.nan) for name in "ab"}
    one = CaseValues(Measure("m", "pixel", "1", "up"), names(5), values)
    found = compare_systems([one, measured()], [], seed=0, n_boot=50)
    first = found.measures[0]
    assert math.isnan(first.pairs[0].p_holm)
    assert first.winner is None
    assert found.n_tests == {"test": 3}


def test_patients_whom_a_system_lacks_are_not_counted() -> None:
    one = measured()
    one.values["good"][:5] = math.nan
    one.values["bad"][4:7] = math.nan
    found = compare_systems([one], [], seed=0, n_boot=100).measures[0]
    assert found.n_patients == 18
    assert found.critical is not None
    assert found.critical.n_patients == 18
    assert {name: s.n_patients for name, s in found.summaries.items()} == {
        "good": 20, "twin": 25, "bad": 22,
    }  # fmt: skip
    assert found.pair("good", "twin").n_patients == 20


def test_sets_are_compared_by_their_resamples() -> None:
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(40, 3, generator=rng, dtype=torch.float64)
    sets = {
        "near": real + 0.3 * torch.randn(40, 3, generator=rng, dtype=torch.float64),
        "far": real + 2.0,
    }
    metric = EnergyDistance()
    compared = compared_sets(
        metric, sets, real, names(40), names(40), numpy_stream(0, "s"), n_boot=100
    )
    measure = Measure("energy", "feature", metric.unit, metric.direction)
    found = compare_systems([], [WholeValues(measure, compared, 40, 0.1)], seed=0).measures[0]
    assert found.winner == "near"
    assert found.critical is None
    assert found.summaries == {}
    pair = found.pairs[0]
    difference = compared.difference("near", "far")
    assert pair.gain == pytest.approx(-difference.value)
    assert (pair.low, pair.high) == pytest.approx((-difference.high, -difference.low))
    assert pair.low < pair.gain < pair.high
    assert found.ranks.shares["near"] == (1.0, 0.0)


def test_margins_are_adjusted_and_directed() -> None:
    found = margin_tests([measured(), measured("psnr", "up")], "twin", {"mae": 1.0}, 0)
    assert [(test.measure.metric, test.system) for test in found] == [
        ("mae", "good"),
        ("mae", "bad"),
    ]
    good, bad = found
    assert good.shown
    assert not bad.shown
    assert bad.result.gain == pytest.approx(-3, abs=0.5)
    assert good.p_holm == pytest.approx(2 * good.result.p_value)
