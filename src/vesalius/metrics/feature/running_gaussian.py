"""Mean and covariance of features that stream by, in constant memory, over many processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.frechet import between_gaussians


@dataclass(frozen=True, eq=False)
class RunningGaussian:
    """The Gaussian that fits the features seen so far; adding and merging give a new one.

    Its size is that of one covariance, whatever the number of cases. Means and sums of squares are
    centred in every step, so that features far from zero lose no digits.

    Parameters
    ----------
    n:
        Cases.
    mean:
        ``(feature,)``, float64.
    scatter:
        ``(feature, feature)``, float64: the sum of outer products of what is left of each case
        without the mean; over n - 1 it is the unbiased covariance.

    References
    ----------
    Chan, Golub and LeVeque 1983, The American Statistician 37:242 (how two sums are merged).
    """

    n: int
    mean: Tensor
    scatter: Tensor

    @staticmethod
    def nothing(dimension: int) -> RunningGaussian:
        """Nothing seen yet, of ``dimension`` features."""
        if dimension < 1:
            raise InputError("at least 1 feature", came=dimension)
        zeros = torch.zeros(dimension, dimension, dtype=torch.float64)
        return RunningGaussian(0, zeros[0].clone(), zeros)

    @staticmethod
    def of(features: Tensor) -> RunningGaussian:
        """The Gaussian of ``(n, feature)``."""
        if features.ndim != 2 or features.shape[1] == 0:
            raise InputError(
                "features of shape (n, feature)", came=f"shape {tuple(features.shape)}"
            )
        features = features.detach().double()
        bad = (~torch.isfinite(features)).any(1).nonzero()
        if len(bad):
            raise InputError("finite features", came="NaN or infinity", case=f"case {int(bad[0])}")
        if len(features) == 0:
            return RunningGaussian.nothing(features.shape[1])
        mean = features.mean(0)
        centred = features - mean
        return RunningGaussian(len(features), mean, centred.T @ centred)

    def add(self, features: Tensor) -> RunningGaussian:
        """With ``(n, feature)`` more; InputError for another width, NaN and infinities."""
        return self.merge(RunningGaussian.of(features))

    def merge(self, other: RunningGaussian) -> RunningGaussian:
        """The Gaussian of both sets of cases, in whichever order or process they were seen."""
        if len(self.mean) != len(other.mean):
            raise InputError(
                f"{len(self.mean)} features, as before",
                came=len(other.mean),
                remedy="use one extractor for all images",
            )
        if 0 in (self.n, other.n):
            return other if self.n == 0 else self
        n = self.n + other.n
        step = other.mean - self.mean
        return RunningGaussian(
            n,
            self.mean + step * (other.n / n),
            self.scatter + other.scatter + torch.outer(step, step) * (self.n * other.n / n),
        )

    @property
    def covariance(self) -> Tensor:
        """``(feature, feature)``, unbiased; InputError for fewer than 2 cases."""
        if self.n < 2:
            raise InputError("at least 2 cases", came=self.n, remedy="give more images")
        return self.scatter / (self.n - 1)

    def distance(self, other: RunningGaussian) -> float:
        """The squared Fréchet distance: what :class:`FrechetDistance` gives for all cases."""
        if len(self.mean) != len(other.mean):
            raise InputError(
                f"{len(self.mean)} features in both sets",
                came=len(other.mean),
                remedy="use one extractor for both sets",
            )
        return between_gaussians(
            self.mean, _root(self.covariance), other.mean, _root(other.covariance)
        )


def _root(covariance: Tensor) -> Tensor:
    """Return R with R^T R the covariance: a triangle, or by eigenvectors where it is singular."""
    triangle, failed = torch.linalg.cholesky_ex(covariance, upper=True)
    if int(failed) == 0 and bool(torch.isfinite(triangle).all()):
        return torch.as_tensor(triangle)
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > values[-1].clamp_min(0) * len(values) * math.ulp(1.0)
    root: Tensor = values[kept].sqrt()[:, None] * vectors[:, kept].T
    return root
