"""FID in constant memory: against all cases at once, NumPy, and any order of merging."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core import InputError
from vesalius.metrics.feature import FrechetDistance, RunningGaussian


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 9999),
    d=st.integers(1, 12),
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_any_parts_in_any_order_are_the_whole(
    seed: int, d: int, sizes: list[int], offset: float
) -> None:
    sizes = [*sizes, 2]
    whole = normal(seed, sum(sizes), d) + offset
    parts = [RunningGaussian.of(part) for part in torch.split(whole, sizes)]
    order = torch.randperm(len(parts), generator=torch.Generator().manual_seed(seed)).tolist()
    merged = RunningGaussian.nothing(d)
    for place in order:
        merged = merged.merge(parts[place])
    assert merged.n == len(whole)
    np.testing.assert_allclose(merged.mean, whole.mean(0), rtol=1e-12, atol=1e-12)
    expected = np.atleast_2d(np.cov(whole.numpy(), rowvar=False))
    np.testing.assert_allclose(merged.covariance, expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("n", "m", "d"), [(80, 60, 12), (20, 30, 40), (5, 200, 16)])
def test_distance_is_that_of_all_cases(n: int, m: int, d: int) -> None:
    mix = normal(9, d, d)
    a, b = normal(1, n, d) @ mix + 0.5, normal(2, m, d)
    streamed = [RunningGaussian.nothing(d), RunningGaussian.nothing(d)]
    for place, features in enumerate((a, b)):
        for part in torch.split(features, 7):
            streamed[place] = streamed[place].add(part)
    found = streamed[0].distance(streamed[1])
    assert found == pytest.approx(FrechetDistance().value(a, b), rel=1e-6, abs=1e-6)
    assert found == pytest.approx(streamed[1].distance(streamed[0]), rel=1e-9)
    assert streamed[0].distance(streamed[0]) == pytest.approx(0, abs=1e-6)


def test_it_travels_between_processes() -> None:
    one = RunningGaussian.of(normal(3, 10, 4))
    again = pickle.loads(pickle.dumps(one))
    assert again.distance(one) == pytest.approx(0, abs=1e-10)


def test_single_precision_is_summed_in_double() -> None:
    features = (normal(4, 2000, 3) + 1000).float()
    found = RunningGaussian.of(features)
    assert found.covariance.dtype == torch.float64
    np.testing.assert_allclose(found.covariance, features.double().T.cov(), rtol=1e-9)


def test_what_cannot_be() -> None:
    one = RunningGaussian.of(normal(5, 1, 3))
    with pytest.raises(InputError, match="at least 2 cases"):
        one.distance(RunningGaussian.of(normal(6, 5, 3)))
    with pytest.raises(InputError, match="3 features, as before, got 2"):
        one.add(normal(7, 4, 2))
    with pytest.raises(InputError, match="3 features in both sets"):
        one.distance(RunningGaussian.of(normal(7, 4, 2)))
    broken = normal(8, 4, 3)
    broken[2, 0] = float("nan")
    with pytest.raises(InputError, match="case 2: expected finite"):
        one.add(broken)
    with pytest.raises(InputError, match="features of shape"):
        one.add(normal(8, 4, 3)[0])
    with pytest.raises(InputError, match="at least 1 feature"):
        RunningGaussian.nothing(0)
