"""Sets against sets: intervals, paired differences, and how often they err."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.set_comparison import SetComparison, compared_sets
from vesalius.metrics.feature import EnergyDistance, Precision
from vesalius.metrics.metric import SetMetric


class MeanDifference(SetMetric):
    """The difference of means, whose standard error is known."""

    name = "mean difference"
    level = "feature"
    direction = "zero"
    citation = ""

    @property
    def unit(self) -> str:
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        return float(generated.mean() - real.mean())


def normal(n: int, seed: int, shift: float = 0.0, d: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def compared(
    metric: SetMetric, ours: Tensor, other: Tensor, real: Tensor, seed: int = 0, n_boot: int = 400
) -> SetComparison:
    patients = [f"p{k:03d}" for k in range(len(real))]
    rng = numpy_stream(seed, "sets")
    return compared_sets(
        metric, {"ours": ours, "other": other}, real, patients, patients, rng, n_boot=n_boot
    )


def test_a_known_difference_and_its_p_value() -> None:
    n = 200
    ours, other, real = normal(n, 0), normal(n, 1, shift=0.2), normal(n, 2)
    found = compared(MeanDifference(), ours, other, real, n_boot=2000).difference("ours", "other")
    # the real set cancels: a paired difference of means
    paired = (ours - other)[:, 0].numpy()
    error = paired.std() / math.sqrt(n)
    assert found.value == pytest.approx(paired.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found.p_value == pytest.approx(
        math.erfc(abs(paired.mean()) / error / math.sqrt(2)), abs=0.05
    )


def test_all_slices_of_a_patient_are_resampled_together() -> None:
    """Repeating every slice adds no information about patients."""
    n, copies = 40, 5
    ours, other, real = normal(n, 0), normal(n, 1), normal(n, 2)
    once = compared(MeanDifference(), ours, other, real, n_boot=1000)
    patients = [f"p{k:03d}" for k in range(n) for _ in range(copies)]
    sets = {"ours": ours.repeat_interleave(copies, 0), "other": other.repeat_interleave(copies, 0)}
    many = compared_sets(
        MeanDifference(), sets, real.repeat_interleave(copies, 0), patients, patients,
        numpy_stream(0, "sets"), n_boot=1000,
    )  # fmt: skip
    assert many.resampled["ours"] == pytest.approx(once.resampled["ours"])


def test_no_difference_is_rarely_claimed_and_a_difference_often() -> None:
    claimed = {0.0: 0, 0.8: 0}
    runs = 40
    for shift in claimed:
        for seed in range(runs):
            ours, other = normal(30, 3 * seed, d=4), normal(30, 3 * seed + 1, shift=shift, d=4)
            real = normal(30, 3 * seed + 2, d=4)
            found = compared(EnergyDistance(), ours, other, real, seed=seed, n_boot=60)
            claimed[shift] += found.difference("ours", "other").p_value < 0.05
    assert claimed[0.0] <= 7, "5 % of 40 is 2; 8 or more has a chance of 0.1 %"
    assert claimed[0.8] >= 35


def test_equal_sets_differ_in_nothing_and_intervals_stay_in_range() -> None:
    ours, real = normal(30, 0, shift=9), normal(30, 1)
    found = compared(Precision(), ours, ours.clone(), real)
    difference = found.difference("ours", "other")
    assert (difference.value, difference.p_value) == (0.0, 1.0)
    interval = found.intervals["ours"]
    assert (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)
    near = compared(Precision(), normal(30, 3), ours, real).intervals["ours"]
    assert 0 <= near.low <= near.value <= near.high <= 1


def test_one_patient_has_no_interval_and_rows_need_patients() -> None:
    rng = numpy_stream(0, "one")
    found = compared_sets(
        MeanDifference(), {"a": normal(4, 0), "b": normal(4, 1)}, normal(4, 2), ["p"] * 4,
        ["p"] * 4, rng,
    )  # fmt: skip
    assert math.isnan(found.intervals["a"].low)
    assert math.isnan(found.difference("a", "b").p_value)
    with pytest.raises(InputError, match="one patient for each"):
        compared_sets(MeanDifference(), {"a": normal(4, 0)}, normal(4, 1), ["p"], ["p"], rng)


def test_sets_of_other_patients_are_resampled_apart() -> None:
    ours, real = normal(50, 0), normal(50, 0)
    names = [f"p{k}" for k in range(50)]
    sets = {"ours": ours}
    rng = np.random.default_rng(0)
    together = compared_sets(MeanDifference(), sets, real, names, names, rng, n_boot=200)
    assert np.ptp(together.resampled["ours"]) < 1e-12, "the same rows twice"
    others = [f"q{k}" for k in range(50)]
    apart = compared_sets(MeanDifference(), sets, real, others, names, rng, n_boot=200)
    assert apart.resampled["ours"].std() == pytest.approx(math.sqrt(2 / 50), rel=0.25)


class SquaredMeanDifference(MeanDifference):
    """What resampling moves upwards by a known amount."""

    def value(self, generated: Tensor, real: Tensor) -> float:
        return float((generated.mean(0) - real.mean(0)).square().sum())


class Picky(MeanDifference):
    """Not defined for sets of one value."""

    def value(self, generated: Tensor, real: Tensor) -> float:
        return math.nan if len(generated.unique()) == 1 else super().value(generated, real)


def test_intervals_of_clustered_sets_cover_the_truth() -> None:
    rng = numpy_stream(6, "sets")
    ours = [f"g{k}" for k in range(30)]
    patients = [f"r{k}" for k in range(15) for _ in range(4)]
    hits = 0
    for _ in range(120):
        a = torch.from_numpy(rng.normal(1, 1, (30, 1)))
        b = torch.from_numpy(np.repeat(rng.normal(0, 1, (15, 1)), 4, axis=0))
        metric = MeanDifference()
        found = compared_sets(metric, {"a": a}, b, ours, patients, rng, n_boot=100).intervals["a"]
        hits += found.low <= 1 <= found.high
        assert abs(found.bias) < 0.15
    assert 0.86 <= hits / 120 <= 0.99


def test_what_repeated_rows_add_is_taken_off_the_interval() -> None:
    a, b = normal(40, 11, d=20), normal(40, 12, d=20)
    ours, theirs = ([f"{letter}{k}" for k in range(40)] for letter in "ab")
    rng = numpy_stream(7, "bias")
    found = compared_sets(SquaredMeanDifference(), {"a": a}, b, ours, theirs, rng, n_boot=500)
    interval = found.intervals["a"]
    # resampling adds the variance of both means once more: 20 (1/40 + 1/40)
    assert interval.bias == pytest.approx(1.0, rel=0.2)
    assert interval.low < interval.value < interval.high


def test_resamples_without_a_value_are_counted() -> None:
    a, b = torch.tensor([[0.0], [1.0]]), torch.arange(4.0).view(4, 1)
    rng = numpy_stream(9, "nan")
    found = compared_sets(Picky(), {"a": a}, b, ["p", "q"], list("wxyz"), rng, n_boot=400)
    # both rows the same: half the draws
    assert found.intervals["a"].n_dropped == pytest.approx(200, abs=40)
