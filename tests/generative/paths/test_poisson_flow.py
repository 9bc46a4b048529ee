from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from vesalius.generative.paths import KarrasPath, PoissonFlowPath
from vesalius.generative.samplers import Heun


@pytest.mark.parametrize(("n_voxels", "dimension"), [(4, 3), (16, 64), (64, 8)])
def test_distances_have_the_density_of_the_paper(n_voxels: int, dimension: int) -> None:
    """p(R) ~ R^(N-1) / (R^2 + r^2)^((N+D)/2), integrated numerically (Xu et al. 2023)."""
    sigma = 1.7
    r = sigma * math.sqrt(dimension)

    def density(distance: float) -> float:
        log = (n_voxels - 1) * math.log(distance)
        return math.exp(log - (n_voxels + dimension) / 2 * math.log(distance**2 / r**2 + 1))

    total = integrate.quad(density, 0, math.inf)[0]
    path = PoissonFlowPath(dimension=dimension)
    noise = path.draw_noise((4000, 1, n_voxels, 1), torch.Generator().manual_seed(0))
    distances = sigma * noise.flatten(1).norm(dim=1).double().numpy()
    points = np.quantile(distances, [0.05, 0.25, 0.5, 0.75, 0.95])
    expected = [integrate.quad(density, 0, point)[0] / total for point in points]
    assert expected == pytest.approx([0.05, 0.25, 0.5, 0.75, 0.95], abs=0.025)


def test_directions_are_uniform_and_independent_of_the_distance() -> None:
    noise = PoissonFlowPath(dimension=5).draw_noise((8000, 1, 2, 1), torch.Generator())
    flat = noise.flatten(1).numpy()
    angles = np.arctan2(flat[:, 1], flat[:, 0]) / (2 * math.pi) + 0.5
    assert stats.kstest(angles, "uniform").pvalue > 1e-3
    assert abs(stats.spearmanr(angles, np.linalg.norm(flat, axis=1)).statistic) < 0.04


def test_many_dimensions_are_the_gaussian_path() -> None:
    """D to infinity agrees with EDM: states, starts, and the law of the noise."""
    gaussian, poisson = KarrasPath(), PoissonFlowPath(dimension=10**7)
    time = torch.linspace(0, 1, 9, dtype=torch.float64)
    assert torch.equal(gaussian.noise(time), poisson.noise(time))
    shape = (3, 1, 8, 8)
    same = [path.start(shape, torch.Generator().manual_seed(2)) for path in (gaussian, poisson)]
    assert torch.allclose(same[0], same[1], rtol=1e-2)
    few = PoissonFlowPath(dimension=3).draw_noise((4000, 1, 2, 2), torch.Generator())
    many = poisson.draw_noise((4000, 1, 2, 2), torch.Generator())
    assert stats.kurtosis(many.flatten()) == pytest.approx(0, abs=0.2)
    assert stats.kurtosis(few.flatten()) > 3, "heavy tails"


def test_the_flow_of_two_points_ends_in_them() -> None:
    """The exact denoiser of two images: weights (|x - y|^2 + r^2)^(-(N+D)/2)."""
    dimension, n_voxels = 16, 4
    path = PoissonFlowPath(data_std=1.0, dimension=dimension, noise_max=40.0)
    points = torch.tensor([[1.0, 1, 1, 1], [-1.0, -1, 1, -1]])

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is not None
        r2 = path.noise(time)[:, None].double() ** 2 * dimension
        apart = (x.flatten(1)[:, None].double() - points[None]).square().sum(dim=2)
        weights = (-(n_voxels + dimension) / 2 * (apart + r2).log()).softmax(dim=1)
        return (weights.float() @ points).view(x.shape)

    drawn = Heun(path, 30).sample(predict, (2000, 1, 4, 1), torch.Generator().manual_seed(0))
    apart = (drawn.flatten(1)[:, None] - points[None]).norm(dim=2)
    assert float(apart.min(dim=1).values.max()) < 1e-3
    assert float((apart[:, 0] < 1e-3).float().mean()) == pytest.approx(0.5, abs=0.05)
