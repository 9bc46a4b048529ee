"""The energy distance: how much further cases are from the other set than from their own."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.kernel import counted_discrepancy, unbiased_discrepancy
from vesalius.metrics.metric import Counted, SetMetric


class EnergyDistance(SetMetric):
    """``2 E|x - y| - E|x - x'| - E|y - y'|`` over pairs of different cases.

    Zero on average for sets from one distribution (single values may be negative), above zero for
    different ones. It has no width to choose and, unlike a discrepancy with a Gaussian kernel, does
    not level off for sets far apart: it tells the worse of two poor generators. For features of one
    scale.

    References
    ----------
    Szekely and Rizzo 2013, J Stat Plan Inference 143:1249, equation 5.1 (as U-statistic).
    """

    name = "energy"
    level = "feature"
    direction = "down"
    citation = "Szekely and Rizzo 2013, doi:10.1016/j.jspi.2013.03.018"

    @property
    def unit(self) -> str:
        """A distance of features."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Distance of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        return unbiased_discrepancy(*self._kernels(generated, real))

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From distances that are computed once."""
        return counted_discrepancy(*self._kernels(generated, real))

    def _kernels(self, generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        generated, real = checked_sets(generated, real)
        pairs = ((generated, generated), (real, real), (generated, real))
        within_generated, within_real, between = (-torch.cdist(a, b) for a, b in pairs)
        for within in (within_generated, within_real):
            within.fill_diagonal_(0)
        return within_generated, within_real, between
