"""Logistic regression against scikit-learn's, and the choice of its penalty."""

from __future__ import annotations

import numpy as np
import pytest

from vesalius.tasks.logistic_regression import PENALTIES, LogisticRegression


def clouds(n: int, d: int, n_classes: int, apart: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Gaussian clouds whose centres lie ``apart`` from the origin."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    centres = rng.standard_normal((n_classes, d))
    return rng.standard_normal((n, d)) + apart * centres[labels], labels


@pytest.mark.parametrize(("n_classes", "penalty"), [(2, 3.0), (3, 0.5), (4, 20.0)])
def test_chances_are_those_of_scikit_learn(n_classes: int, penalty: float) -> None:
    sklearn = pytest.importorskip("sklearn.linear_model", reason="compares with scikit-learn")
    rows, labels = clouds(120, 5, n_classes, 0.7)
    ours = LogisticRegression.fit(rows, labels, n_classes, penalty)
    # two classes have one vector of weights there, whose square is penalised twice as much
    strength = (2 if n_classes == 2 else 1) / penalty
    other = sklearn.LogisticRegression(C=strength, tol=1e-8, max_iter=5000).fit(rows, labels)
    np.testing.assert_allclose(ours.chances(rows), other.predict_proba(rows), atol=2e-4)
    np.testing.assert_allclose(ours.chances(rows).sum(axis=1), 1)


def test_noise_asks_for_a_strong_penalty_and_a_clear_line_for_a_weak_one() -> None:
    rng = np.random.default_rng(0)
    held_out = np.arange(200) % 5 == 0
    rows, labels = clouds(200, 30, 2, 0.0)
    noise = LogisticRegression.fit_chosen(rows, labels, 2, held_out)
    assert noise.penalty >= 100
    assert np.abs(noise.chances(rows) - 0.5).max() < 0.3, "says little"
    line = rng.standard_normal((200, 3))
    clear = LogisticRegression.fit_chosen(line, (line[:, 0] > 0).astype(int), 2, held_out)
    assert clear.penalty == PENALTIES[-1]


def test_the_chosen_model_sees_all_rows() -> None:
    rows, labels = clouds(60, 4, 2, 1.0)
    held_out = np.arange(60) % 5 == 0
    chosen = LogisticRegression.fit_chosen(rows, labels, 2, held_out)
    again = LogisticRegression.fit(rows, labels, 2, chosen.penalty)
    np.testing.assert_array_equal(chosen.weights, again.weights)
    nothing_left = LogisticRegression.fit_chosen(rows, labels, 2, np.zeros(60, bool))
    assert nothing_left.penalty in PENALTIES


def test_one_class_alone_is_certain_but_finite() -> None:
    rows = np.random.default_rng(0).standard_normal((20, 3))
    model = LogisticRegression.fit(rows, np.ones(20, int), 2, 1.0)
    assert np.isfinite(model.weights).all()
    assert (model.chances(rows)[:, 1] > 0.9).all()
