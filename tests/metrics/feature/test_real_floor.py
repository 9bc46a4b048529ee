"""The real-against-real floor and the words about too few cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.core.rng import numpy_stream
from vesalius.metrics.feature import (
    Coverage,
    Density,
    FrechetDistance,
    FrechetRadiomicsDistance,
    KernelDistance,
    LogFrechetRadiomicsDistance,
    MaximumMeanDiscrepancy,
    Precision,
    RadiomicFeatures,
    Recall,
    Standardised,
    enough_cases,
    named,
    real_floor,
)
from vesalius.metrics.metric import SetMetric


class Watcher(SetMetric):
    """Keeps what it was given; its value is the number of calls."""

    name, level, direction, citation, unit = "watcher", "feature", "down", "none", "1"

    def __init__(self) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []

    def value(self, generated: Tensor, real: Tensor) -> float:
        self.seen.append((generated, real))
        return float(len(self.seen))


def test_halves_share_no_patient_and_lose_no_case() -> None:
    patients = [f"p{case // 3}" for case in range(33)]  # 11 patients of 3 images
    features = torch.arange(33.0).double()[:, None]
    watcher = Watcher()
    mean, low, high = real_floor(watcher, features, patients, numpy_stream(0, "floor"), repeats=40)
    assert len(watcher.seen) == 40
    splits = set()
    for first, second in watcher.seen:
        cases = [set(half[:, 0].int().tolist()) for half in (first, second)]
        assert cases[0] | cases[1] == set(range(33))
        owners = [{patients[case] for case in half} for half in cases]
        assert not owners[0] & owners[1]
        assert len(owners[0]) == 5
        splits.add(frozenset(cases[0]))
    assert len(splits) > 30
    assert mean == pytest.approx(np.mean(range(1, 41)))
    assert (low, high) == pytest.approx(tuple(np.percentile(range(1, 41), [2.5, 97.5])))


def test_the_floor_comes_from_the_stream_alone() -> None:
    features = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).double()
    patients = [str(case) for case in range(40)]
    metric = FrechetDistance()
    one, again, other = (
        real_floor(metric, features, patients, numpy_stream(seed, "floor")) for seed in (0, 0, 1)
    )
    assert one == again != other
    assert 0 < one[1] <= one[0] <= one[2]


def test_a_good_generator_is_near_the_floor_and_a_bad_one_above() -> None:
    draw = torch.Generator().manual_seed(1)
    real = torch.randn(200, 4, generator=draw).double()
    good = torch.randn(100, 4, generator=draw).double()
    patients = [str(case) for case in range(200)]
    for metric in (FrechetRadiomicsDistance(), KernelDistance(), MaximumMeanDiscrepancy()):
        _, low, high = real_floor(metric, real, patients, numpy_stream(2, metric.name))
        assert low - (high - low) < metric.value(good, real[:100]) < high + (high - low)
        assert metric.value(good + 1, real[:100]) > high + (high - low)


def test_floors_that_cannot_be() -> None:
    features = torch.zeros(6, 2)
    rng = numpy_stream(0, "floor")
    with pytest.raises(InputError, match="one patient for each of 6 cases"):
        real_floor(FrechetDistance(), features, ["a"] * 5, rng)
    with pytest.raises(InputError, match="at least 2 patients"):
        real_floor(FrechetDistance(), features, ["a"] * 6, rng)
    with pytest.raises(InputError, match="at least 1 repeat"):
        real_floor(FrechetDistance(), features, list("abcdef"), rng, repeats=0)


@pytest.mark.parametrize(
    ("metric", "few", "enough"),
    [
        (FrechetDistance(), 24, 4300),
        (FrechetRadiomicsDistance(), 4299, 4300),
        (LogFrechetRadiomicsDistance(), 430, 4300),
        (KernelDistance(), 99, 100),
        (Standardised(KernelDistance()), 99, 100),
        (MaximumMeanDiscrepancy(), 24, 100),
        (Precision(), 99, 100),
        (Coverage(3), 59, 60),
    ],
)
def test_few_cases_are_said_to_be_few(metric: SetMetric, few: int, enough: int) -> None:
    assert enough_cases(metric, enough, 430) == ""
    note = enough_cases(metric, few, 430)
    assert note.startswith(f"n = {few} is small")
    assert note.endswith("read with the floor")


def test_frechet_note_names_the_features() -> None:
    assert "24 is small for 430 features (the covariance has rank 23)" in enough_cases(
        FrechetDistance(), 24, 430
    )


def test_names_of_numbers() -> None:
    extractor = RadiomicFeatures((0, 1))
    assert named(KernelDistance(), extractor) == "kid[radiomics]"
    assert named(Standardised(KernelDistance()), extractor) == "z_kid[radiomics]"
    inner = Standardised(Precision())
    assert (inner.direction, inner.unit, inner.level) == ("up", "1", "feature")
    assert math.isfinite(len(inner.citation))


@pytest.mark.parametrize("metric", [Precision(3), Recall(3), Density(3), Coverage(3)])
def test_parts_of_a_set_are_compared_as_two_sets_are(metric: SetMetric) -> None:
    rng = torch.Generator().manual_seed(4)
    real = torch.randn(60, 7, generator=rng)
    first = torch.rand(60, generator=rng) < 0.4
    assert metric.of_parts(real)(first) == metric.value(real[first], real[~first])
    with pytest.raises(InputError, match="at least 4 cases"):
        metric.of_parts(real)(torch.arange(60) < 3)
