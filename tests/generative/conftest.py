"""Images whose best denoiser is known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.testing.exact_denoiser import Mixture, exact_denoiser


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
