"""Pairs of cases some rows at a time: the same numbers, and no table of all pairs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.metrics.feature import (
    CLIPDiscrepancy,
    Coverage,
    Density,
    EnergyDistance,
    KernelDistance,
    MaximumMeanDiscrepancy,
    MeanPairwiseDistance,
    Precision,
    Recall,
    pairs,
)
from vesalius.metrics.feature.pairs import mean_over_pairs, row_blocks
from vesalius.metrics.metric import SetMetric

OF_PAIRS: tuple[SetMetric, ...] = (
    CLIPDiscrepancy(),
    EnergyDistance(),
    KernelDistance(),
    MaximumMeanDiscrepancy(),
    MeanPairwiseDistance(),
    Precision(),
    Recall(),
    Density(),
    Coverage(),
)


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_blocks_hold_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 20)
    assert list(row_blocks(7, 9)) == [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7)]
    assert list(row_blocks(2, 1000)) == [slice(0, 1), slice(1, 2)]
    assert list(row_blocks(0, 5)) == []


def test_means_by_hand_and_in_small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 6)
    seen: list[int] = []

    def product(a: Tensor, b: Tensor) -> Tensor:
        seen.append(len(a) * len(b))
        return a @ b.T

    a, b = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[1.0], [10.0]])
    assert mean_over_pairs(product, a, b) == pytest.approx(7 * 11 / 6)
    # 1 * 2, 1 * 4 and 2 * 4, each twice; 1, 4 and 16 of themselves do not count
    assert mean_over_pairs(product, a, a, within=True) == pytest.approx(14 / 3)
    assert max(seen) <= 6


@pytest.mark.parametrize("metric", OF_PAIRS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("sizes", [(31, 26), (26, 31), (6, 6)])
def test_blocks_change_no_number(
    metric: SetMetric, sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generated, real = normal(1, sizes[0], 5) + 0.4, normal(2, sizes[1], 5)
    whole = metric.value(generated, real)
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 70)
    assert metric.value(generated, real) == pytest.approx(whole, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("metric", OF_PAIRS, ids=lambda metric: metric.name)
def test_no_table_of_all_pairs(metric: SetMetric, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 500)
    generated, real = normal(3, 120, 4), normal(4, 130, 4)
    largest = 0
    cdist, matmul = torch.cdist, Tensor.matmul

    def counted_cdist(a: Tensor, b: Tensor, **more: str) -> Tensor:
        nonlocal largest
        found = cdist(a, b, **more)
        largest = max(largest, found.numel())
        return found

    def counted_product(a: Tensor, b: Tensor) -> Tensor:
        nonlocal largest
        found = matmul(a, b)
        largest = max(largest, found.numel())
        return found

    monkeypatch.setattr(torch, "cdist", counted_cdist)
    monkeypatch.setattr(Tensor, "__matmul__", counted_product)
    metric.value(generated, real)
    assert 0 < largest <= 500


@pytest.mark.parametrize(
    "metric", [EnergyDistance(), KernelDistance(), MaximumMeanDiscrepancy()], ids=lambda m: m.name
)
def test_a_resample_of_every_case_once_is_the_value(metric: SetMetric) -> None:
    generated, real = normal(5, 60, 3), normal(6, 50, 3)
    once = metric.counted(generated, real)(torch.ones(60), torch.ones(50))
    assert once == pytest.approx(metric.value(generated, real), rel=1e-9)


def test_copies_of_a_case_are_at_distance_zero_far_from_zero() -> None:
    # rounding puts a case at some 10^-3 from itself where features are so large
    generated, real = 1e5 + normal(5, 60, 3), 1e5 + normal(6, 50, 3)
    found = EnergyDistance().counted(generated, real)(torch.full((60,), 2), torch.ones(50))
    between = torch.linalg.vector_norm(generated[:, None] - real, dim=2).mean()
    within = 8 * torch.pdist(generated).sum() / (120 * 119)
    expected = 2 * between - within - torch.pdist(real).mean()
    assert found == pytest.approx(float(expected), abs=5e-7)
