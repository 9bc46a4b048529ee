"""The Vendi score: how many different images a set is worth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.metrics.feature.cmmd import unit_length
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.one_set import OneSetMetric


class VendiScore(OneSetMetric):
    """The exponential of the entropy of the eigenvalues of the cosine similarities, over n.

    1 for n copies of one image, n for images whose features are at right angles. It grows with n,
    so compare sets of one size, and with the real set's own value.

    References
    ----------
    Friedman and Dieng 2023, arXiv:2210.02410.
    """

    name = "vendi"
    direction = "up"
    bounds = (1.0, math.inf)
    citation = "Friedman and Dieng 2023, arXiv:2210.02410"

    def of(self, features: Tensor) -> float:
        """The score of ``(n, feature)``."""
        features, _ = checked_sets(features, features, least=1)
        rows = unit_length(features)
        # X X^T and X^T X have the same eigenvalues but for zeros: the smaller one is taken
        table = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
        values = torch.linalg.eigvalsh(table / len(rows)).clamp_min(0)
        return max(1.0, math.exp(float(torch.special.entr(values / values.sum()).sum())))
