"""Mean distance between two images of one set: the plainest measure of diversity."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.one_set import OneSetMetric
from vesalius.metrics.feature.pairs import mean_over_pairs
from vesalius.metrics.metric import Counted


class MeanPairwiseDistance(OneSetMetric):
    """Mean Euclidean distance over pairs of different cases of the set; 0 where all are alike.

    In the unit of the features: read it as a part of the real set's own. A higher one is not
    better where it is above that: noise is diverse.

    References
    ----------
    Rao 1982, Theoretical Population Biology 21:24 (quadratic entropy, the same mean).
    """

    name = "pairwise_distance"
    direction = "up"
    bounds = (0.0, math.inf)
    citation = "Rao 1982, Theor Popul Biol 21:24, doi:10.1016/0040-5809(82)90004-1"

    def of(self, features: Tensor) -> float:
        """Of ``(n, feature)``; at least 2 cases."""
        features, _ = checked_sets(features, features)
        return mean_over_pairs(_distances, features, features, within=True)

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From the distances of all pairs, computed once; two copies of a case are two cases."""
        generated, _ = checked_sets(generated, generated)
        distances = _distances(generated, generated)

        def value(of_generated: Tensor, of_real: Tensor) -> float:
            counts = of_generated.to(distances)
            n = counts.sum()
            return float(counts @ distances @ counts / (n * (n - 1)))

        return value


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # equal cases are at distance exactly 0
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
