"""Fréchet distance between the Gaussians that fit two sets of features (FID with any extractor)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.metrics.feature.feature_sets import checked_sets, standardised
from vesalius.metrics.metric import SetMetric


def _root(features: Tensor) -> Tensor:
    """Return R with R^T R the unbiased covariance of ``(n, feature)``, of as few rows as can be."""
    centred = (features - features.mean(0)) / math.sqrt(len(features) - 1)
    if len(centred) <= centred.shape[1]:
        return centred
    triangle: Tensor = torch.linalg.qr(centred, mode="r").R
    return triangle


def squared_frechet_distance(generated: Tensor, real: Tensor) -> float:
    """``|m_g - m_r|^2 + tr(S_g + S_r - 2 (S_g S_r)^(1/2))`` of two sets ``(n, feature)``, float64.

    Covariances are unbiased. With S = R^T R, the trace of the square root is the sum of the
    singular values of ``R_g R_r^T``: exact also where there are fewer cases than features, without
    shrinkage and without the square root of a singular matrix. Never negative.
    """
    return between_gaussians(generated.mean(0), _root(generated), real.mean(0), _root(real))


def between_gaussians(mean_a: Tensor, root_a: Tensor, mean_b: Tensor, root_b: Tensor) -> float:
    """The squared Fréchet distance from means and roots R of the covariances, S = R^T R."""
    shared = torch.linalg.svdvals(root_a @ root_b.T).sum()
    apart = (mean_a - mean_b).square().sum()
    spread = root_a.square().sum() + root_b.square().sum()
    return max(0.0, float(apart + spread - 2 * shared))


class FrechetDistance(SetMetric):
    """The squared Fréchet distance: FID where the features are Inception's.

    Biased upwards when cases are few against features: read it beside ``real_floor``.

    References
    ----------
    Heusel et al. 2017, arXiv:1706.08500; closed form of Dowson and Landau 1982.
    """

    name = "fid"
    level = "feature"
    direction = "down"
    bounds = (0.0, math.inf)
    citation = "Heusel et al. 2017, arXiv:1706.08500"

    @property
    def unit(self) -> str:
        """A squared feature distance."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Squared distance of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        return squared_frechet_distance(*checked_sets(generated, real))


class FrechetRadiomicsDistance(SetMetric):
    """FRD: the squared Fréchet distance of radiomic features z-scored by the real set.

    Unchanged when a feature is given in another unit or offset. No shrinkage; a feature that is
    constant in both sets is dropped, see ``standardised``. Without ``standardise`` features are
    taken as they come: a :class:`~vesalius.metrics.feature.robust_scale.RobustScale` has brought
    them to one scale. Konz et al. report the logarithm
    (:class:`LogFrechetRadiomicsDistance`). Their features are PyRadiomics', so numbers made with
    other features are comparable with one another and not with theirs.

    References
    ----------
    Konz et al. 2024, arXiv:2412.01496; first form Osuala et al. 2024, arXiv:2403.13890.
    """

    name = "frd"
    level = "feature"
    direction = "down"
    bounds = (0.0, math.inf)
    citation = "Konz et al. 2024, arXiv:2412.01496"

    def __init__(self, *, standardise: bool = True) -> None:
        self.standardise = standardise

    @property
    def unit(self) -> str:
        """A squared distance in standard deviations of the real set."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Squared distance of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        scaled = standardised if self.standardise else checked_sets
        return squared_frechet_distance(*scaled(generated, real))


class LogFrechetRadiomicsDistance(SetMetric):
    """The natural logarithm of the Fréchet radiomics distance (not squared); -inf for equal sets.

    References
    ----------
    Konz et al. 2024, arXiv:2412.01496, equation 3.
    """

    name = "log_frd"
    level = "feature"
    direction = "down"
    citation = "Konz et al. 2024, arXiv:2412.01496"

    @property
    def unit(self) -> str:
        """A logarithm."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """``log(sqrt(FRD))`` of ``(n, feature)`` and ``(m, feature)``; at least 2 cases each."""
        squared = squared_frechet_distance(*standardised(generated, real))
        return 0.5 * float(torch.tensor(squared, dtype=torch.float64).log())
