"""Inception score, CMMD, Vendi score, pairwise distance and AHI: by hand and against others."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist, pdist
from sklearn.gaussian_process.kernels import RBF
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore as TheirInceptionScore

from vesalius.core import InputError
from vesalius.core.rng import numpy_stream
from vesalius.metrics.feature import (
    AnomalyToHealthyIndex,
    CLIPDiscrepancy,
    EnergyDistance,
    FrechetDistance,
    InceptionScore,
    MeanPairwiseDistance,
    VendiScore,
    enough_cases,
    real_floor,
)
from vesalius.metrics.metric import SetMetric


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_inception_score_by_hand() -> None:
    sure = torch.eye(4).repeat(3, 1)
    assert InceptionScore().of(sure) == pytest.approx(4)
    assert InceptionScore().of(torch.full((6, 4), 0.25)) == pytest.approx(1)
    assert InceptionScore().of(sure[:1].expand(5, 4)) == pytest.approx(1)  # one mode
    half = torch.tensor([[0.9, 0.1], [0.3, 0.7]]).double()
    expected = np.mean([stats.entropy(row, half.mean(0)) for row in half.numpy()])
    assert InceptionScore().of(half) == pytest.approx(math.exp(expected))
    assert InceptionScore().value(half, normal(0, 3, 9)) == InceptionScore().of(half)


class Flat(nn.Module):
    """The image's first pixels as scores of classes."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, 0, 0, :5].double()


@pytest.mark.filterwarnings("ignore:std..:UserWarning")  # theirs, of a single part
def test_inception_score_against_torchmetrics() -> None:
    images = torch.rand(40, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 4
    with pytest.warns(UserWarning, match="feature"):
        theirs = TheirInceptionScore(feature=Flat(), splits=1, normalize=True)
    theirs.inception = Flat()
    theirs.normalize = False
    theirs.update(images)
    found = InceptionScore().of(Flat()(images).softmax(1))
    assert found == pytest.approx(float(theirs.compute()[0]), rel=1e-6)


def test_inception_score_asks_for_probabilities() -> None:
    with pytest.raises(InputError, match=r"case 1: expected probabilities.*take the softmax"):
        InceptionScore().of(torch.tensor([[0.5, 0.5], [2.0, -1.0]]))
    with pytest.raises(InputError, match="finite"):
        InceptionScore().of(torch.tensor([[float("nan"), 0.5]]))
    assert InceptionScore().of(torch.tensor([[1.0, 0.0]])) == 1


def test_cmmd_against_the_kernel_of_scikit_learn() -> None:
    a, b = normal(1, 30, 8) + 0.5, normal(2, 45, 8) * 2
    x, y = ((v / v.norm(dim=1, keepdim=True)).numpy() for v in (a, b))
    kernel = RBF(length_scale=10.0)
    expected = 1000 * (kernel(x).mean() + kernel(y).mean() - 2 * kernel(x, y).mean())
    assert CLIPDiscrepancy().value(a, b) == pytest.approx(expected, rel=1e-6)
    # the length of a vector does not count, and self-pairs do
    assert CLIPDiscrepancy().value(a * 7, b) == pytest.approx(CLIPDiscrepancy().value(a, b))
    assert CLIPDiscrepancy().value(a, a.flip(0)) == pytest.approx(0, abs=1e-12)
    opposite = torch.tensor([[1.0, 0.0]]).repeat(3, 1)
    expected = 1000 * 2 * (1 - math.exp(-4 / 200))
    assert CLIPDiscrepancy().value(opposite, -opposite) == pytest.approx(expected)
    with pytest.raises(InputError, match="case 2: expected features that have a direction"):
        CLIPDiscrepancy().value(torch.cat([a[:2], torch.zeros(1, 8)]), b)


def test_vendi_by_hand_and_both_ways() -> None:
    assert VendiScore().of(torch.eye(6) * 5) == pytest.approx(6)
    assert VendiScore().of(torch.ones(9, 3)) == pytest.approx(1)
    # two equal halves at an angle of cosine c: eigenvalues (1 + c) / 2 and (1 - c) / 2
    c = 0.6
    pair = torch.tensor([[1.0, 0.0], [c, math.sqrt(1 - c * c)]]).repeat(4, 1)
    expected = math.exp(stats.entropy([(1 + c) / 2, (1 - c) / 2]))
    assert VendiScore().of(pair) == pytest.approx(expected)
    for shape in ((12, 30), (30, 12)):
        x = normal(3, *shape)
        unit = (x / x.norm(dim=1, keepdim=True)).numpy()
        values = np.linalg.eigvalsh(unit @ unit.T / len(unit)).clip(0)
        assert VendiScore().of(x) == pytest.approx(math.exp(stats.entropy(values)), rel=1e-9)


def test_pairwise_distance_against_scipy() -> None:
    x = normal(4, 25, 6)
    assert MeanPairwiseDistance().of(x) == pytest.approx(pdist(x.numpy()).mean())
    assert MeanPairwiseDistance().of(x[:1].expand(4, 6)) == 0
    with pytest.raises(InputError, match="at least 2"):
        MeanPairwiseDistance().of(x[:1])


@pytest.mark.parametrize(
    "metric", [VendiScore(), MeanPairwiseDistance(), InceptionScore()], ids=lambda m: m.name
)
def test_collapse_costs_diversity(metric: SetMetric) -> None:
    rich = (4 * normal(5, 60, 7)).softmax(1)
    poor = rich[:3].repeat(20, 1)
    assert metric.value(poor, rich) < metric.value(rich, rich)
    assert metric.direction == "up"
    # the order of cases says nothing
    assert metric.value(rich.flip(0), rich) == pytest.approx(metric.value(rich, rich))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999), n=st.integers(2, 15), m=st.integers(2, 15))
def test_resamples_are_repeated_rows(seed: int, n: int, m: int) -> None:
    a, b = (5 * normal(seed, n, 5)).softmax(1), (5 * normal(seed + 1, m, 5)).softmax(1)
    draw = torch.Generator().manual_seed(seed)
    counts = [torch.bincount(torch.randint(k, (k,), generator=draw), minlength=k) for k in (n, m)]
    repeated = [x.repeat_interleave(c, 0) for x, c in zip((a, b), counts, strict=True)]
    for metric in (InceptionScore(), CLIPDiscrepancy(), MeanPairwiseDistance(), VendiScore()):
        found = metric.counted(a, b)(*counts)
        assert found == pytest.approx(metric.value(*repeated), rel=1e-6, abs=1e-6), metric.name
        low, high = metric.bounds
        assert low <= found <= high


def test_ahi_is_the_part_of_the_way() -> None:
    healthy, unseen, ill = normal(6, 80, 4), normal(7, 60, 4), normal(8, 50, 4) + 3
    index = AnomalyToHealthyIndex(ill, unseen)
    distance = FrechetDistance()
    far, near = distance.value(ill, healthy), distance.value(unseen, healthy)
    half = normal(9, 50, 4) + 1.5
    expected = (far - distance.value(half, healthy)) / (far - near)
    assert index.value(half, healthy) == pytest.approx(expected)
    assert index.value(unseen, healthy) == pytest.approx(1)
    assert index.value(ill, healthy) == pytest.approx(0)
    assert index.value(ill + 5, healthy) == 0  # worse than not restored
    other = AnomalyToHealthyIndex(ill, unseen, distance=EnergyDistance())
    assert 0 < other.value(half, healthy) < 1
    with pytest.raises(InputError, match="sees no disease"):
        AnomalyToHealthyIndex(unseen, ill).value(half, healthy)


def test_ahi_needs_no_shared_cases() -> None:
    # the mean of the energy distance by SciPy, for another distance than FID
    healthy, unseen, ill = normal(10, 30, 2), normal(11, 20, 2), normal(12, 25, 2) + 4

    def energy(a: Tensor, b: Tensor) -> float:
        within = [pdist(x.numpy()).mean() for x in (a, b)]
        return float(2 * cdist(a.numpy(), b.numpy()).mean() - sum(within))

    restored = ill - 3
    expected = (energy(ill, healthy) - energy(restored, healthy)) / (
        energy(ill, healthy) - energy(unseen, healthy)
    )
    found = AnomalyToHealthyIndex(ill, unseen, distance=EnergyDistance())
    assert found.value(restored, healthy) == pytest.approx(expected)


def test_floors_stand_beside_them() -> None:
    real = (3 * normal(13, 60, 5)).softmax(1)
    patients = [str(case) for case in range(60)]
    for metric in (InceptionScore(), VendiScore(), CLIPDiscrepancy(), MeanPairwiseDistance()):
        mean, low, high = real_floor(metric, real, patients, numpy_stream(0, metric.name))
        assert low <= mean <= high
        if metric.direction == "up":  # halves of the real set have about its own value
            assert mean == pytest.approx(metric.value(real, real), rel=0.2)


@pytest.mark.parametrize(
    ("metric", "dimension", "enough"),
    [
        (InceptionScore(), 1000, 10_000),
        (InceptionScore(), 2, 100),
        (CLIPDiscrepancy(), 768, 100),
        (VendiScore(), 768, 100),
        (MeanPairwiseDistance(), 768, 100),
        (AnomalyToHealthyIndex(torch.zeros(2, 3), torch.zeros(2, 3)), 64, 640),
    ],
)
def test_few_cases_are_told(metric: SetMetric, dimension: int, enough: int) -> None:
    assert enough_cases(metric, enough, dimension) == ""
    assert f"n = {enough - 1} is small" in enough_cases(metric, enough - 1, dimension)
