"""Maximum mean discrepancy: two sets compared through the mean of a kernel, without bias."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.kernel_metric import KernelMetric
from vesalius.metrics.feature.pairs import Kernel, row_blocks


class KernelDistance(KernelMetric):
    """KID: unbiased squared MMD with the kernel ``(x.y / d + 1)^3``, over all pairs (no subsets).

    For features of one scale (a network's); wrap it in ``Standardised`` for radiomics.

    References
    ----------
    Binkowski et al. 2018, arXiv:1801.01401.
    """

    name = "kid"
    level = "feature"
    direction = "down"
    citation = "Binkowski et al. 2018, arXiv:1801.01401"

    @property
    def unit(self) -> str:
        """A kernel value."""
        return "1"

    def kernel(self, real: Tensor) -> Kernel:
        """The cubic polynomial; nothing is fitted."""
        return lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3


class MaximumMeanDiscrepancy(KernelMetric):
    """Unbiased squared MMD with a Gaussian kernel ``exp(-|x - y|^2 / (2 s^2))``.

    The width s is the median distance between two cases of the real set, and of that set alone, so
    that generated sets are compared with one kernel. InputError where that median is zero. The
    median asks for the distances of all real pairs at once, half a matrix.

    References
    ----------
    Gretton et al. 2012, JMLR 13:723.
    """

    name = "mmd"
    level = "feature"
    direction = "down"
    citation = "Gretton et al. 2012, JMLR 13:723"
    of_itself = 1.0

    @property
    def unit(self) -> str:
        """A kernel value."""
        return "1"

    def kernel(self, real: Tensor) -> Kernel:
        """Gaussian, of the median distance in ``real``."""
        width = _median_distance(real)
        if width == 0:
            raise InputError(
                "a real set whose cases differ",
                came="a median distance of 0",
                remedy="remove repeated images",
            )
        return lambda a, b: torch.cdist(a, b).div_(width).square_().mul_(-0.5).exp_()


def _median_distance(features: Tensor) -> float:
    """Over pairs of different cases; of an even number of pairs the mean of the middle two."""
    n = len(features)
    pairs = features.new_empty(n * (n - 1) // 2)
    filled = 0
    for rows in row_blocks(n, n):
        table = torch.cdist(features[rows], features)
        places = torch.arange(n, device=features.device)
        found = table[places > places[rows, None]]
        pairs[filled : filled + len(found)] = found
        filled += len(found)
    low = pairs.kthvalue((len(pairs) + 1) // 2).values
    high = low if len(pairs) % 2 else pairs.kthvalue(len(pairs) // 2 + 1).values
    return float((low + high) / 2)
