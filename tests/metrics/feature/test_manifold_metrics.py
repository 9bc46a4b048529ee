"""Precision, recall, density and coverage: by hand, by brute force, and under mode collapse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from vesalius.core import InputError
from vesalius.metrics.feature import Coverage, Density, Precision, Recall

ALL = (Precision, Recall, Density, Coverage)


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_by_hand_on_a_line() -> None:
    # real 0, 1, 3, 10: radii (to the nearest other) 1, 1, 2, 7; generated 0.5, 4, 20: 3.5, 3.5, 16
    real = torch.tensor([[0.0], [1], [3], [10]])
    generated = torch.tensor([[0.5], [4], [20]])
    # 0.5 lies in the balls of 0 and 1; 4 in those of 3 and 10; 20 in none
    assert Precision(1).value(generated, real) == pytest.approx(2 / 3)
    assert Density(1).value(generated, real) == pytest.approx(4 / 3)
    # each real ball holds a generated one; each real case lies in the ball of 0.5, 4 or 20
    assert Coverage(1).value(generated, real) == 1
    assert Recall(1).value(generated, real) == 1
    assert Recall(1).value(generated[:2], real) == pytest.approx(3 / 4)  # 10 is 6 away from 4


def test_against_nearest_neighbours_of_scikit_learn() -> None:
    k = 5
    generated, real = normal(0, 70, 4) * 0.8 + 0.3, normal(1, 90, 4)
    radius = {}
    for name, x in (("generated", generated), ("real", real)):
        found = NearestNeighbors(n_neighbors=k + 1).fit(x.numpy()).kneighbors(x.numpy())[0]
        radius[name] = found[:, -1]
    between = np.linalg.norm(real.numpy()[:, None] - generated.numpy()[None], axis=-1)
    in_real, in_generated = between <= radius["real"][:, None], between <= radius["generated"][None]
    assert Precision().value(generated, real) == pytest.approx(in_real.any(0).mean())
    assert Recall().value(generated, real) == pytest.approx(in_generated.any(1).mean())
    assert Density().value(generated, real) == pytest.approx(in_real.sum() / (k * 70))
    assert Coverage().value(generated, real) == pytest.approx(in_real.any(1).mean())


def test_mode_collapse_costs_diversity_and_not_fidelity() -> None:
    real = torch.cat([normal(2, 100, 3), normal(3, 100, 3) + 30])
    collapsed = normal(4, 200, 3)
    assert Precision().value(collapsed, real) > 0.9
    assert Density().value(collapsed, real) > 0.8
    assert Recall().value(collapsed, real) <= 0.5
    assert Coverage().value(collapsed, real) <= 0.5
    both = torch.cat([normal(5, 100, 3), normal(6, 100, 3) + 30])
    assert Recall().value(both, real) > 0.9
    assert Coverage().value(both, real) > 0.9


def test_far_away_images_cost_fidelity_and_not_diversity() -> None:
    real = normal(7, 100, 3)
    spoiled = torch.cat([normal(8, 100, 3), normal(9, 100, 3) * 0.1 + 500])
    assert Precision().value(spoiled, real) == pytest.approx(0.5, abs=0.06)
    assert Recall().value(spoiled, real) > 0.9
    assert Coverage().value(spoiled, real) > 0.9


@pytest.mark.parametrize("kind", ALL)
def test_equal_sets_are_perfect_and_distant_ones_hopeless(kind: type[Precision]) -> None:
    real = normal(10, 40, 6)
    assert kind().value(real, real) >= 1
    assert kind().value(real + 1e3, real) == 0
    assert kind.direction == "up"


@pytest.mark.parametrize("kind", ALL)
def test_repeated_images_are_at_distance_zero(kind: type[Precision]) -> None:
    real = normal(11, 20, 5) * 1e4
    repeated = real[:1].expand(20, 5)
    found = kind().value(repeated, real)
    expected = {Precision: 1.0, Recall: 1 / 20, Density: None, Coverage: None}[kind]
    if expected is not None:
        assert found == pytest.approx(expected)
    else:
        assert found > 0


@pytest.mark.parametrize("kind", ALL)
def test_too_few_cases(kind: type[Precision]) -> None:
    with pytest.raises(InputError, match="the generated set: expected at least 6 cases, got 5"):
        kind().value(normal(12, 5, 2), normal(13, 20, 2))
    assert kind(2).value(normal(12, 5, 2), normal(13, 20, 2)) >= 0
    with pytest.raises(InputError, match="at least 1 neighbour"):
        kind(0)
