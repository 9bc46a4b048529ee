"""Two sets compared through the mean of a kernel over pairs of cases, without bias."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.pairs import Kernel, mean_over_pairs
from vesalius.metrics.metric import Counted, SetMetric


class KernelMetric(SetMetric):
    """The mean of a kernel within each set, less twice that between them, without self-pairs.

    Zero on average when both sets come from one distribution, so single values may be negative.
    ``of_itself`` is what the kernel says of a case and itself, where rounding would blur it.

    Reference: Gretton et al. 2012, JMLR 13:723, equation 3.
    """

    of_itself: ClassVar[float | None] = None

    @abstractmethod
    def kernel(self, real: Tensor) -> Kernel:
        """The kernel; what it has to fit, it fits to the real set ``(m, feature)``."""

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        generated, real = checked_sets(generated, real)
        kernel = self.kernel(real)
        within = sum(mean_over_pairs(kernel, x, x, within=True) for x in (generated, real))
        return within - 2 * mean_over_pairs(kernel, generated, real)

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From kernel matrices of all pairs, computed once: memory grows with the square of cases.

        The kernel stays that of the whole real set. As if rows were repeated: two copies of a case
        are two cases.
        """
        generated, real = checked_sets(generated, real)
        kernel = self.kernel(real)
        within_a, within_b = kernel(generated, generated), kernel(real, real)
        between = kernel(generated, real)
        if self.of_itself is not None:
            for table in (within_a, within_b):
                table.fill_diagonal_(self.of_itself)

        def value(counts_a: Tensor, counts_b: Tensor) -> float:
            a, b = counts_a.to(between), counts_b.to(between)
            apart = (a @ between @ b) / (a.sum() * b.sum())
            return float(_within(within_a, a) + _within(within_b, b) - 2 * apart)

        return value


def _within(table: Tensor, counts: Tensor) -> Tensor:
    n = counts.sum()
    found: Tensor = (counts @ table @ counts - counts @ table.diagonal()) / (n * (n - 1))
    return found
