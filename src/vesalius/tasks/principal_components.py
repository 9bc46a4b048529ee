"""Probabilistic principal components: the linear generative model of images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class PrincipalComponents:
    """A Gaussian ``N(mean, W W^T + noise_variance I)`` with the components in the rows of W^T.

    Reference: Tipping and Bishop, J R Stat Soc B 61:611, 1999, equations 7 and 8.
    """

    mean: Rows
    loadings: Rows
    noise_variance: float

    @staticmethod
    def fit(rows: Rows, n_components: int) -> PrincipalComponents:
        """The maximum-likelihood model of ``(case, feature)`` with so many components."""
        mean, values, axes = _decomposed(rows)
        kept = max(0, min(n_components, len(values) - 1))
        left = rows.shape[1] - kept
        noise_variance = float(values[kept:].sum() / max(1, left))
        spread = np.sqrt(np.maximum(values[:kept] - noise_variance, 0))
        return PrincipalComponents(mean, axes[:kept] * spread[:, None], noise_variance)

    @staticmethod
    def fit_chosen(rows: Rows, held_out: NDArray[np.bool_]) -> PrincipalComponents:
        """The model of all ``rows``, with the number of components that explains some of them best.

        Numbers are compared by the likelihood of the rows ``held_out`` under models of the others.
        """
        if not held_out.any() or held_out.all():
            return PrincipalComponents.fit(rows, len(rows) - 1)
        scores = held_out_log_likelihood(rows[~held_out], rows[held_out])
        return PrincipalComponents.fit(rows, int(scores.argmax()))

    def draw(self, rng: np.random.Generator) -> Rows:
        """One draw, (feature,)."""
        weights = rng.standard_normal(len(self.loadings))
        noise = rng.standard_normal(len(self.mean)) * math.sqrt(self.noise_variance)
        return self.mean + weights @ self.loadings + noise


def _decomposed(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Mean, eigenvalues of the covariance (over n, falling) and their axes as rows."""
    mean = rows.mean(axis=0)
    centred = rows - mean
    n, d = centred.shape
    if n <= d:  # the small Gram matrix has the same eigenvalues
        values, vectors = np.linalg.eigh(centred @ centred.T / n)
        axes = vectors.T @ centred
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred / n)
        axes = vectors.T
    values, axes = np.maximum(values[::-1], 0), axes[::-1]
    norms = np.linalg.norm(axes, axis=1, keepdims=True)
    real = (values > 1e-12 * max(values[0], 1e-300)) & (norms[:, 0] > 0)
    return mean, values[real], axes[real] / norms[real]


def held_out_log_likelihood(rows: Rows, others: Rows) -> Rows:
    """Mean log-likelihood of ``others`` under models of ``rows`` with 0, 1, 2, ... components."""
    mean, values, axes = _decomposed(rows)
    d = rows.shape[1]
    counts = np.arange(len(values))  # the last axis always counts as noise
    noise = (values.sum() - np.concatenate([[0], np.cumsum(values)[:-1]])) / (d - counts)
    centred = others - mean
    squared = ((centred @ axes.T) ** 2).mean(axis=0)
    total = (centred**2).sum(axis=1).mean()
    explained = np.concatenate([[0], np.cumsum(squared)[:-1]])
    weighted = np.concatenate([[0], np.cumsum(squared / values)[:-1]])
    log_values = np.concatenate([[0], np.cumsum(np.log(values))[:-1]])
    determinant = log_values + (d - counts) * np.log(noise)
    found: Rows = -0.5 * (
        d * math.log(2 * math.pi) + determinant + weighted + (total - explained) / noise
    )
    return found
