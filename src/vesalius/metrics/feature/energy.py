"""The energy distance: how much further cases are from the other set than from their own."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.metrics.feature.kernel_metric import KernelMetric
from vesalius.metrics.feature.pairs import Kernel


class EnergyDistance(KernelMetric):
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
    of_itself = 0.0

    @property
    def unit(self) -> str:
        """A distance of features."""
        return "1"

    def kernel(self, real: Tensor) -> Kernel:
        """Minus the distance; nothing is fitted."""
        return lambda a, b: torch.cdist(a, b).neg_()
