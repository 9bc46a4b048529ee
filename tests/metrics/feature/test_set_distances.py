"""Distances between sets against closed forms, SciPy and torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import Tensor
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

from vesalius.core import InputError
from vesalius.metrics.feature import (
    Coverage,
    FrechetDistance,
    FrechetRadiomicsDistance,
    KernelDistance,
    LogFrechetRadiomicsDistance,
    MaximumMeanDiscrepancy,
    Precision,
    Standardised,
    standardised,
)
from vesalius.metrics.metric import SetMetric

DISTANCES: tuple[SetMetric, ...] = (
    FrechetDistance(),
    FrechetRadiomicsDistance(),
    KernelDistance(),
    MaximumMeanDiscrepancy(),
    Standardised(KernelDistance()),
)


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def exactly(features: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """The features moved so that their mean and unbiased covariance are exactly these."""
    centred = features - features.mean(0)
    white = (
        centred
        @ torch.linalg.inv(torch.linalg.cholesky(centred.T @ centred / (len(centred) - 1))).T
    )
    return white @ torch.linalg.cholesky(covariance).T + mean


def test_frechet_of_one_dimensional_gaussians() -> None:
    a = exactly(normal(0, 50, 1), torch.tensor([3.0]).double(), torch.tensor([[4.0]]).double())
    b = exactly(normal(1, 70, 1), torch.tensor([-1.0]).double(), torch.tensor([[9.0]]).double())
    assert FrechetDistance().value(a, b) == pytest.approx((3 + 1) ** 2 + (2 - 3) ** 2)


def test_frechet_of_gaussians_with_common_axes() -> None:
    axes = torch.linalg.qr(normal(2, 4, 4)).Q
    wide, narrow = torch.tensor([9.0, 4, 1, 0.25]).double(), torch.tensor([1.0, 16, 1, 4]).double()
    shift = torch.tensor([1.0, -2, 0, 0.5]).double()
    a = exactly(normal(3, 60, 4), shift, axes @ wide.diag() @ axes.T)
    b = exactly(normal(4, 40, 4), torch.zeros(4).double(), axes @ narrow.diag() @ axes.T)
    expected = shift.square().sum() + (wide.sqrt() - narrow.sqrt()).square().sum()
    assert FrechetDistance().value(a, b) == pytest.approx(float(expected))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(3, 40), m=st.integers(3, 40), d=st.integers(1, 25)
)
def test_frechet_against_the_matrix_square_root(seed: int, n: int, m: int, d: int) -> None:
    mix = normal(seed, d, d)
    a, b = normal(seed + 1, n, d) @ mix + 1, normal(seed + 2, m, d)
    covariances = [np.atleast_2d(np.cov(x.numpy(), rowvar=False)) for x in (a, b)]
    # the symmetric form: its argument is a covariance, so the root is real also when singular
    values, vectors = np.linalg.eigh(covariances[1])
    half = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(half @ covariances[0] @ half)
    cross = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    expected = (a.mean(0) - b.mean(0)).square().sum() + sum(np.trace(c) for c in covariances)
    found = FrechetDistance().value(a, b)
    assert found == pytest.approx(float(expected) - 2 * cross, rel=1e-5, abs=1e-5)
    if min(n, m) > d + 5:
        root = sqrtm(covariances[0] @ covariances[1])
        assert found == pytest.approx(float(expected) - 2 * np.trace(root).real, rel=1e-6)


def test_frechet_against_torchmetrics() -> None:
    a, b = normal(5, 80, 12) * 2 + 0.3, normal(6, 90, 12)
    theirs = _compute_fid(a.mean(0), a.T.cov(), b.mean(0), b.T.cov())
    assert FrechetDistance().value(a, b) == pytest.approx(float(theirs), rel=1e-6)


def test_frd_does_not_depend_on_units() -> None:
    generated, real = normal(7, 30, 6) + 0.4, normal(8, 25, 6)
    factor = torch.tensor([1e6, 1e-5, 3, 1, 20, 0.1]).double()
    offset = torch.tensor([1.0, 0, 1e3, -5, 0, 2]).double()
    plain = FrechetRadiomicsDistance().value(generated, real)
    other = FrechetRadiomicsDistance().value(generated * factor + offset, real * factor + offset)
    assert other == pytest.approx(plain, rel=1e-7)
    scaled = [(x - real.mean(0)) / real.std(0) for x in (generated, real)]
    assert plain == pytest.approx(FrechetDistance().value(*scaled))
    assert LogFrechetRadiomicsDistance().value(generated, real) == pytest.approx(
        math.log(math.sqrt(plain))
    )


def test_constant_features() -> None:
    generated, real = normal(9, 20, 3), normal(10, 22, 3)
    agreed = torch.full((1, 1), 1234.567, dtype=torch.float64)

    def both(a: Tensor, b: Tensor) -> float:
        return FrechetRadiomicsDistance().value(
            torch.cat([generated, a.expand(20, 1)], 1), torch.cat([real, b.expand(22, 1)], 1)
        )

    without = FrechetRadiomicsDistance().value(generated, real)
    assert both(agreed, agreed) == pytest.approx(without)
    # constant in both but not the same, or constant in the real set only: it must show
    assert both(agreed + 1, agreed) > without + 1
    assert both(agreed + generated[:, :1], agreed) > without + 0.5
    with pytest.raises(InputError, match="features that vary"):
        FrechetRadiomicsDistance().value(agreed.expand(5, 2), agreed.expand(6, 2))


def test_standardised_scores_the_real_set_to_unit_spread() -> None:
    generated, real = standardised(normal(11, 9, 4) * 7 + 3, normal(12, 15, 4) * 5 - 2)
    assert real.mean(0) == pytest.approx(torch.zeros(4).double(), abs=1e-12)
    assert real.std(0) == pytest.approx(torch.ones(4).double())
    assert generated.shape == (9, 4)


@pytest.mark.parametrize("metric", DISTANCES, ids=lambda m: m.name)
def test_equal_sets_and_growing_shifts(metric: SetMetric) -> None:
    a, b = normal(13, 60, 5), normal(14, 60, 5)
    values = [metric.value(b + shift, a) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert values == sorted(values)
    assert metric.direction == "down"
    # the order of cases says nothing
    assert metric.value(b.flip(0), a.roll(7, 0)) == pytest.approx(values[0], rel=1e-9, abs=1e-9)


def test_frechet_of_a_set_with_itself_is_zero() -> None:
    a = normal(15, 10, 30) * 50
    assert FrechetDistance().value(a, a) == pytest.approx(0, abs=1e-8)
    assert FrechetRadiomicsDistance().value(a, a.flip(0)) == pytest.approx(0, abs=1e-8)
    assert FrechetDistance().value(a + 1, a) == pytest.approx(30)


def test_kid_against_torchmetrics() -> None:
    a, b = normal(16, 40, 9) + 0.3, normal(17, 40, 9)
    d = a.shape[1]
    kernels = [(x @ y.T / d + 1) ** 3 for x, y in ((a, a), (a, b), (b, b))]
    theirs = poly_mmd(a, b, degree=3, gamma=None, coef=1.0)
    assert KernelDistance().value(a, b) == pytest.approx(float(theirs), rel=1e-9)
    # and by hand, for sets of two sizes
    c = b[:25]
    within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in
              (kernels[0], kernels[2][:25, :25])]  # fmt: skip
    expected = within[0] + within[1] - 2 * kernels[1][:, :25].mean()
    assert KernelDistance().value(a, c) == pytest.approx(float(expected), rel=1e-9)


def test_kernel_by_hand() -> None:
    # one feature: generated 0 and 1, real 1 and 2, kernel (x y + 1)^3
    generated, real = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    expected = 1 + 27 - 2 * (1 + 1 + 8 + 27) / 4
    assert KernelDistance().value(generated, real) == pytest.approx(expected)
    # Gaussian: one real pair at distance 1, so the width is 1
    k = [math.exp(-0.5 * r**2) for r in range(3)]
    expected = k[1] + k[1] - 2 * (k[1] + k[2] + k[0] + k[1]) / 4
    assert MaximumMeanDiscrepancy().value(generated, real) == pytest.approx(expected)


@pytest.mark.parametrize("metric", [KernelDistance(), MaximumMeanDiscrepancy()])
def test_kernel_distances_are_unbiased(metric: SetMetric) -> None:
    values = np.array([
        metric.value(normal(2 * k + 100, 15, 4), normal(2 * k + 101, 15, 4)) for k in range(300)
    ])  # fmt: skip
    error = values.std(ddof=1) / math.sqrt(len(values))
    if isinstance(metric, KernelDistance):  # the median width depends a little on the real set
        assert abs(values.mean()) < 4 * error
    assert (values < 0).mean() > 0.3
    biased = np.mean([2 * metric.value(x, x) for x in (normal(1, 15, 4),)])
    assert biased < 0  # self-pairs are left out: a set is closer to itself than to its like


def test_median_width_follows_the_real_set_only() -> None:
    real = normal(20, 31, 3)
    pairs = torch.pdist(real)
    width = float(np.median(pairs.numpy()))
    for shift in (0.0, 3.0):
        generated = normal(21, 20, 3) * 4 + shift
        kernel = [torch.exp(-torch.cdist(x, y) ** 2 / (2 * width**2)) for x, y in
                  ((generated, generated), (real, real), (generated, real))]  # fmt: skip
        expected = (
            (kernel[0].sum() - 20) / (20 * 19) + (kernel[1].sum() - 31) / (31 * 30)
            - 2 * kernel[2].mean()
        )  # fmt: skip
        found = MaximumMeanDiscrepancy().value(generated, real)
        assert found == pytest.approx(float(expected), abs=1e-7)
    with pytest.raises(InputError, match="cases differ"):
        MaximumMeanDiscrepancy().value(real, torch.ones(6, 3))


@pytest.mark.parametrize("metric", [*DISTANCES, Precision(), Coverage()], ids=lambda m: m.name)
def test_sets_that_cannot_be_compared(metric: SetMetric) -> None:
    good = normal(30, 12, 3)
    with pytest.raises(InputError, match="the generated set: expected at least"):
        metric.value(good[:1], good)
    with pytest.raises(InputError, match="the real set: expected at least"):
        metric.value(good, good[:0])
    with pytest.raises(InputError, match="as many as real ones, 2"):
        metric.value(good, good[:, :2])
    with pytest.raises(InputError, match="features of shape"):
        metric.value(good[0], good)
    broken = good.clone()
    broken[7, 1] = float("inf")
    with pytest.raises(InputError, match="case 7 of the generated set"):
        metric.value(broken, good)


def test_single_precision_features_are_compared_in_double() -> None:
    a, b = normal(31, 30, 8), normal(32, 30, 8)
    for metric in DISTANCES:
        assert metric.value(a.float(), b.float()) == pytest.approx(metric.value(a, b), abs=1e-4)
