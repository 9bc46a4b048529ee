"""Maximum mean discrepancy: two sets compared through the mean of a kernel, without bias."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.metric import Counted, SetMetric


def unbiased_discrepancy(within_a: Tensor, within_b: Tensor, between: Tensor) -> float:
    """Squared MMD from kernel matrices ``(n, n)``, ``(m, m)``, ``(n, m)``, without self-pairs.

    Zero on average when both sets come from one distribution, so single values may be negative.
    Reference: Gretton et al. 2012, JMLR 13:723, equation 3.
    """

    def mean_off_diagonal(kernel: Tensor) -> Tensor:
        n = len(kernel)
        return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))

    return float(mean_off_diagonal(within_a) + mean_off_diagonal(within_b) - 2 * between.mean())


def counted_discrepancy(within_a: Tensor, within_b: Tensor, between: Tensor) -> Counted:
    """The unbiased discrepancy of resamples, from how often each case is in them.

    The same as repeating rows of the kernel matrices: two copies of a case are two cases.
    """

    def mean_off_diagonal(kernel: Tensor, counts: Tensor) -> Tensor:
        n = counts.sum()
        return (counts @ kernel @ counts - counts @ kernel.diagonal()) / (n * (n - 1))

    def value(counts_a: Tensor, counts_b: Tensor) -> float:
        a, b = counts_a.to(between), counts_b.to(between)
        mean = (a @ between @ b) / (a.sum() * b.sum())
        return float(mean_off_diagonal(within_a, a) + mean_off_diagonal(within_b, b) - 2 * mean)

    return value


class KernelDistance(SetMetric):
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

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Squared MMD of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        return unbiased_discrepancy(*self._kernels(generated, real))

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From kernel matrices that are computed once."""
        return counted_discrepancy(*self._kernels(generated, real))

    def _kernels(self, generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        generated, real = checked_sets(generated, real)

        def kernel(a: Tensor, b: Tensor) -> Tensor:
            return (a @ b.T / a.shape[1] + 1) ** 3

        return kernel(generated, generated), kernel(real, real), kernel(generated, real)


class MaximumMeanDiscrepancy(SetMetric):
    """Unbiased squared MMD with a Gaussian kernel ``exp(-|x - y|^2 / (2 s^2))``.

    The width s is the median distance between two cases of the real set, and of that set alone, so
    that generated sets are compared with one kernel. InputError where that median is zero.

    References
    ----------
    Gretton et al. 2012, JMLR 13:723.
    """

    name = "mmd"
    level = "feature"
    direction = "down"
    citation = "Gretton et al. 2012, JMLR 13:723"

    @property
    def unit(self) -> str:
        """A kernel value."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Squared MMD of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        return unbiased_discrepancy(*self._kernels(generated, real))

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From kernel matrices that are computed once; the width stays that of the whole set."""
        return counted_discrepancy(*self._kernels(generated, real))

    def _kernels(self, generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        generated, real = checked_sets(generated, real)
        within_real = torch.cdist(real, real)
        rows, columns = torch.triu_indices(len(real), len(real), offset=1)
        pairs = within_real[rows, columns].sort().values
        width = (pairs[(len(pairs) - 1) // 2] + pairs[len(pairs) // 2]) / 2
        if width == 0:
            raise InputError(
                "a real set whose cases differ",
                came="a median distance of 0",
                remedy="remove repeated images",
            )

        def kernel(distance: Tensor) -> Tensor:
            return torch.exp(-0.5 * (distance / width) ** 2)

        return (
            kernel(torch.cdist(generated, generated)),
            kernel(within_real),
            kernel(torch.cdist(generated, real)),
        )
