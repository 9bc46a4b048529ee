"""Ridge-penalised multinomial logistic regression: the linear model of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: Penalties that are tried, from one that hardly lets pixels speak to hardly any.
PENALTIES = (1e4, 1e3, 1e2, 1e1, 1e0, 1e-1)
MOST_STEPS = 1000


@dataclass(frozen=True)
class LogisticRegression:
    """Softmax of ``rows @ weights + intercept``.

    Reference: Hastie et al., The Elements of Statistical Learning, 2009, section 4.4.
    """

    weights: Rows
    intercept: Rows
    penalty: float

    @staticmethod
    def fit(rows: Rows, labels: Numbers, n_classes: int, penalty: float) -> LogisticRegression:
        """Minimise the sum of cross-entropies plus ``penalty / 2`` times the squared weights.

        ``rows`` is ``(case, feature)``, ``labels`` whole numbers from zero. The intercept is free.
        """
        from scipy.optimize import minimize

        n, d = rows.shape
        one_hot = np.eye(n_classes)[labels]

        def loss(flat: Rows) -> tuple[float, Rows]:
            weights, intercept = flat[: d * n_classes].reshape(d, n_classes), flat[d * n_classes :]
            chances = _log_softmax(rows @ weights + intercept)
            error = np.exp(chances) - one_hot
            value = -(chances * one_hot).sum() + 0.5 * penalty * (weights**2).sum()
            slope = rows.T @ error + penalty * weights
            return float(value) / n, np.concatenate([slope.ravel(), error.sum(axis=0)]) / n

        found = minimize(
            loss,
            np.zeros((d + 1) * n_classes),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": MOST_STEPS, "gtol": 1e-6, "ftol": 1e-10},
        ).x
        weights = found[: d * n_classes].reshape(d, n_classes)
        return LogisticRegression(weights, found[d * n_classes :], penalty)

    @staticmethod
    def fit_chosen(
        rows: Rows, labels: Numbers, n_classes: int, held_out: NDArray[np.bool_]
    ) -> LogisticRegression:
        """The model of all ``rows`` with the penalty that explains some of them best.

        Penalties are compared by the likelihood of the rows ``held_out`` under models of the
        others; where one of the two parts is empty, the middle penalty is taken.
        """
        penalty = PENALTIES[len(PENALTIES) // 2]
        if held_out.any() and not held_out.all():
            scores = [
                LogisticRegression.fit(
                    rows[~held_out], labels[~held_out], n_classes, one
                ).log_likelihood(rows[held_out], labels[held_out])
                for one in PENALTIES
            ]
            penalty = PENALTIES[int(np.argmax(scores))]
        return LogisticRegression.fit(rows, labels, n_classes, penalty)

    def log_chances(self, rows: Rows) -> Rows:
        """Log probabilities, (case, class)."""
        return _log_softmax(rows @ self.weights + self.intercept)

    def chances(self, rows: Rows) -> Rows:
        """Probabilities, (case, class)."""
        return np.asarray(np.exp(self.log_chances(rows)))

    def log_likelihood(self, rows: Rows, labels: Numbers) -> float:
        """Mean log probability of the true class."""
        return float(self.log_chances(rows)[np.arange(len(labels)), labels].mean())


def _log_softmax(logits: Rows) -> Rows:
    logits = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
