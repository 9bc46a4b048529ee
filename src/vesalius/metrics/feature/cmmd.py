"""CMMD: maximum mean discrepancy of unit features with the one width that its authors chose."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.pairs import mean_over_pairs
from vesalius.metrics.metric import Counted, SetMetric

#: Width of the Gaussian kernel, and the factor that makes its values readable.
WIDTH, SCALE = 10.0, 1000.0


class CLIPDiscrepancy(SetMetric):
    """CMMD: 1000 times the squared MMD of features of length one, Gaussian kernel of width 10.

    Features are divided by their length. CMMD as published is that of CLIP ViT-L/14 at 336 pixels;
    with any other extractor it bears that one's name, and its values do not compare. As in the
    authors' code, self-pairs count (the estimator of least variance): never negative, biased
    upwards by up to 1000 (1 - mean kernel) / n.

    References
    ----------
    Jayasumana et al. 2024, arXiv:2401.09603.
    """

    name = "cmmd"
    level = "feature"
    direction = "down"
    bounds = (0.0, math.inf)
    citation = "Jayasumana et al. 2024, arXiv:2401.09603"

    @property
    def unit(self) -> str:
        """A thousandth of a kernel value."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        a, b = (unit_length(features) for features in checked_sets(generated, real))
        within = mean_over_pairs(_kernel, a, a) + mean_over_pairs(_kernel, b, b)
        return max(0.0, SCALE * (within - 2 * mean_over_pairs(_kernel, a, b)))

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From kernel matrices of all pairs, computed once."""
        a, b = (unit_length(features) for features in checked_sets(generated, real))
        within_a, within_b, between = (_kernel(x, y) for x, y in ((a, a), (b, b), (a, b)))

        def value(of_generated: Tensor, of_real: Tensor) -> float:
            p, q = of_generated.double() / of_generated.sum(), of_real.double() / of_real.sum()
            found = p @ within_a @ p + q @ within_b @ q - 2 * (p @ between @ q)
            return max(0.0, SCALE * float(found))

        return value


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    # one less than the kernel: it hardly differs from one, and the difference is what counts
    return torch.expm1((a @ b.T - 1).clamp_max(0) / WIDTH**2)


def unit_length(features: Tensor) -> Tensor:
    """Features ``(n, feature)`` divided by their length; InputError for a case of all zeros."""
    length = features.norm(dim=1, keepdim=True)
    if bool((length == 0).any()):
        raise InputError(
            "features that have a direction",
            came="all zeros",
            case=f"case {int((length[:, 0] == 0).nonzero()[0])}",
        )
    found: Tensor = features / length
    return found
