"""The robust scale, the energy distance, and metrics of resamples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.metrics.feature import (
    Coverage,
    Density,
    EnergyDistance,
    FrechetDistance,
    FrechetRadiomicsDistance,
    KernelDistance,
    MaximumMeanDiscrepancy,
    Precision,
    Recall,
    RobustScale,
    Standardised,
)
from vesalius.metrics.metric import SetMetric


def normal(n: int, d: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def test_the_scale_is_asinh_of_a_robust_z_score() -> None:
    reference = torch.tensor([[1.0, 0.0, 4.0], [2.0, 0.0, 4.0], [6.0, 0.0, 4.0]])
    scale = RobustScale.fit(reference)
    found = scale(torch.tensor([[2.0, 0.0, 4.0], [9.0, 5.0, 4.008]]))
    # median 2; the standard deviation sqrt(7) is more than the quartiles' 2.5 / 1.349
    assert found.shape == (2, 2), "a feature of zeros has no scale"
    assert found[0].tolist() == [0, 0]
    assert float(found[1, 0]) == pytest.approx(math.asinh(7 / math.sqrt(7)))
    # constant: its spread is a thousandth of its size
    assert float(found[1, 1]) == pytest.approx(math.asinh(2), rel=1e-4)
    with pytest.raises(InputError, match="not all zero"):
        RobustScale.fit(torch.zeros(4, 2))


def test_units_do_not_matter_and_order_is_kept() -> None:
    reference, features = normal(40, 3, 0, shift=2), normal(20, 3, 1)
    one = RobustScale.fit(reference)(features)
    other = RobustScale.fit(reference * 1000)(features * 1000)
    assert torch.allclose(one, other)
    assert torch.equal(one.argsort(0), features.argsort(0))


def test_a_feature_that_hardly_varies_does_not_rule_the_distance() -> None:
    """Where z-scores explode, the robust scale tells the better of two generators."""
    real, reference = normal(60, 20, 0), normal(60, 20, 1)
    near, far = normal(60, 20, 2, shift=0.3), normal(60, 20, 3, shift=2.0)
    for features in (real, reference):
        features[:, 0] = 1 + 1e-7 * features[:, 0]
    near[:, 0], far[:, 0] = 1.3, 1.2
    exploded = FrechetRadiomicsDistance()
    assert exploded.value(near, real) > exploded.value(far, real) > 1e10
    scale = RobustScale.fit(reference)
    for metric in (EnergyDistance(), FrechetRadiomicsDistance(standardise=False)):
        better, worse = (metric.value(scale(x), scale(real)) for x in (near, far))
        assert better < worse < 1000


def test_energy_distance_by_hand_and_against_scipy() -> None:
    from scipy.stats import energy_distance

    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    # between: (3 + 5 + 2 + 4) / 4 = 3.5, within: 1 and 2
    assert EnergyDistance().value(a, b) == pytest.approx(2 * 3.5 - 1 - 2)
    x, y = normal(300, 1, 0), normal(200, 1, 1, shift=1)
    ours = EnergyDistance().value(x, y)
    # SciPy's is the square root with pairs of a case and itself counted
    within = [(torch.cdist(s, s).sum() / (len(s) * (len(s) - 1))).item() for s in (x, y)]
    biased = ours + within[0] / 300 + within[1] / 200
    assert math.sqrt(biased) == pytest.approx(
        energy_distance(x[:, 0].numpy(), y[:, 0].numpy()), rel=1e-9
    )


def test_energy_distance_is_zero_on_average_and_does_not_level_off() -> None:
    same = [EnergyDistance().value(normal(20, 5, s), normal(20, 5, 1000 + s)) for s in range(200)]
    assert abs(np.mean(same)) < 4 * np.std(same) / math.sqrt(200)
    real = normal(40, 5, 0)
    values = [EnergyDistance().value(normal(40, 5, 1, shift=s), real) for s in (10, 100, 1000)]
    assert values[1] / values[0] == pytest.approx(10, rel=0.2)
    assert values[2] / values[1] == pytest.approx(10, rel=0.02)
    kernel = MaximumMeanDiscrepancy()
    levels = [kernel.value(normal(40, 5, 1, shift=s), real) for s in (100, 1000)]
    assert levels[0] == pytest.approx(levels[1])


EVERY: tuple[SetMetric, ...] = (
    EnergyDistance(),
    FrechetDistance(),
    KernelDistance(),
    MaximumMeanDiscrepancy(),
    Standardised(KernelDistance()),
    Precision(3),
    Recall(3),
    Density(3),
    Coverage(3),
)


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_counting_every_case_once_is_the_value(metric: SetMetric) -> None:
    a, b = normal(25, 4, 0, shift=0.5), normal(30, 4, 1)
    value = metric.counted(a, b)
    ones = (torch.ones(25, dtype=torch.long), torch.ones(30, dtype=torch.long))
    assert value(*ones) == pytest.approx(metric.value(a, b), rel=1e-9)
    low, high = metric.bounds
    assert low <= value(*ones) <= high


@pytest.mark.parametrize("metric", [EnergyDistance(), KernelDistance()], ids=lambda m: m.name)
def test_counts_are_repeated_rows(metric: SetMetric) -> None:
    a, b = normal(12, 3, 0), normal(15, 3, 1)
    rng = np.random.default_rng(0)
    of_a, of_b = (torch.from_numpy(rng.integers(0, 4, n)) for n in (12, 15))
    repeated = metric.value(a.repeat_interleave(of_a, 0), b.repeat_interleave(of_b, 0))
    assert metric.counted(a, b)(of_a, of_b) == pytest.approx(repeated, rel=1e-9)


def test_balls_stay_those_of_the_whole_sets() -> None:
    a, b = normal(20, 2, 0), normal(20, 2, 1)
    counts = torch.zeros(20, dtype=torch.long)
    counts[:3] = 7  # the balls of 21 cases on 3 places would have no size
    for metric in (Precision(3), Recall(3), Density(3), Coverage(3)):
        found = metric.counted(a, b)(counts, counts)
        assert found == pytest.approx(float(metric.values(a, b)[:3].mean()))
