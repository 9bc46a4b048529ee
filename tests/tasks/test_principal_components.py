"""Principal components against laws that are known."""

from __future__ import annotations

import numpy as np
import pytest

from vesalius.tasks.principal_components import PrincipalComponents, held_out_log_likelihood


def rows(n: int, d: int, spread: list[float], noise: float, seed: int = 0) -> np.ndarray:
    """``n`` draws of a Gaussian with the given standard deviations along the first axes."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(np.random.default_rng(99).standard_normal((d, d)))[0]
    signal = rng.standard_normal((n, len(spread))) * np.asarray(spread)
    return 5 + signal @ turn[: len(spread)] + noise * rng.standard_normal((n, d))


@pytest.mark.parametrize(("n", "d"), [(400, 12), (30, 60)])
def test_the_fit_is_the_maximum_of_the_likelihood(n: int, d: int) -> None:
    from sklearn.decomposition import PCA

    data = rows(n, d, [6, 4, 2], 0.5)
    found = PrincipalComponents.fit(data, 3)
    theirs = PCA(n_components=3, svd_solver="full").fit(data)
    covariance = found.loadings.T @ found.loadings + found.noise_variance * np.eye(d)
    values = np.linalg.eigvalsh(np.cov(data.T, bias=True))[::-1]
    assert np.allclose(np.linalg.eigvalsh(covariance)[::-1][:3], values[:3])
    assert found.noise_variance == pytest.approx(values[3:].mean())
    assert np.allclose(found.mean, theirs.mean_)
    for axis in theirs.components_:
        inside = found.loadings @ axis
        assert np.linalg.norm(inside) ** 2 + found.noise_variance == pytest.approx(
            axis @ np.cov(data.T, bias=True) @ axis
        )


def test_the_likelihood_of_others_is_that_of_the_gaussian() -> None:
    from scipy.stats import multivariate_normal

    data, others = rows(200, 6, [4, 2], 0.5), rows(50, 6, [4, 2], 0.5, seed=1)
    scores = held_out_log_likelihood(data, others)
    assert len(scores) == 6
    for k in (0, 1, 2, 5):
        model = PrincipalComponents.fit(data, k)
        covariance = model.loadings.T @ model.loadings + model.noise_variance * np.eye(6)
        law = multivariate_normal(model.mean, covariance)
        assert scores[k] == pytest.approx(law.logpdf(others).mean())


def test_the_number_of_components_is_found() -> None:
    data = rows(300, 40, [9, 7, 5, 4], 1.0)
    found = PrincipalComponents.fit_chosen(data, np.arange(300) % 5 == 0)
    assert 4 <= len(found.loadings) <= 6
    assert found.noise_variance == pytest.approx(1.0, rel=0.1)


def test_draws_have_the_mean_and_covariance_of_the_model() -> None:
    model = PrincipalComponents.fit(rows(300, 5, [3, 2], 0.5), 2)
    rng = np.random.default_rng(4)
    drawn = np.stack([model.draw(rng) for _ in range(20000)])
    covariance = model.loadings.T @ model.loadings + model.noise_variance * np.eye(5)
    assert np.abs(drawn.mean(0) - model.mean).max() < 0.1
    assert np.abs(np.cov(drawn.T) - covariance).max() < 0.25
    assert np.array_equal(
        model.draw(np.random.default_rng(1)), model.draw(np.random.default_rng(1))
    )
