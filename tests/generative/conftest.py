"""Images whose best denoiser is known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand
from vesalius.generative.predictor import Predictor

Mixture = tuple[tuple[float, float, float], ...]


def exact_denoiser(path: GaussianPath, mixture: Mixture) -> Predictor:
    """E[x | state] for voxels drawn from ``mixture`` of (weight, mean, standard deviation)."""

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is not None
        signal, noise = expand(path.signal(time), x), expand(path.noise(time), x)
        weights, means = [], []
        for weight, mean, std in mixture:
            variance = (signal * std) ** 2 + noise**2
            weights.append(
                torch.log(torch.tensor(weight))
                - (x - signal * mean) ** 2 / (2 * variance)
                - variance.log() / 2
            )
            means.append(mean + signal * std**2 / variance * (x - signal * mean))
        share = torch.stack(weights).softmax(dim=0)
        return (share * torch.stack(means)).sum(dim=0)

    return predict


@pytest.fixture(scope="session")
def exact() -> Callable[[GaussianPath, Mixture], Predictor]:
    """``exact(path, mixture)``: the exact denoiser of a mixture of Gaussians."""
    return exact_denoiser


@pytest.fixture
def in_double() -> object:
    """Samplers in double precision, so that their order is seen and not their rounding."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
