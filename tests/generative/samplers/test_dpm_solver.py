from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim, DpmSolver
from vesalius.testing.exact_denoiser import exact_denoiser


@pytest.mark.usefixtures("in_double")
def test_three_steps_by_the_papers_algorithm() -> None:
    """Lu et al. 2022, algorithm 2, written with their alpha, sigma and lambda."""
    path = CosinePath(data_std=0.5, last_angle=1.4)
    denoise = exact_denoiser(path, ((0.3, -0.5, 0.2), (0.7, 0.5, 0.1)))
    shape = (1, 1, 4, 4)
    times = [torch.tensor([t]) for t in (1.0, 2 / 3, 1 / 3)]
    alpha = [float(path.signal(t)) for t in times]
    sigma = [float(path.noise(t)) for t in times]
    lam = [math.log(a / s) for a, s in zip(alpha, sigma, strict=True)]
    x = path.start(shape, torch.Generator().manual_seed(0))
    first = denoise(x, times[0])
    h1, h2 = lam[1] - lam[0], lam[2] - lam[1]
    x = sigma[1] / sigma[0] * x - alpha[1] * (math.exp(-h1) - 1) * first
    second = denoise(x, times[1])
    r = h1 / h2
    mixed = (1 + 1 / (2 * r)) * second - 1 / (2 * r) * first
    x = sigma[2] / sigma[1] * x - alpha[2] * (math.exp(-h2) - 1) * mixed
    wanted = denoise(x, times[2])  # the last step, to noise zero
    drawn = DpmSolver(path, 3).sample(denoise, shape, torch.Generator().manual_seed(0))
    assert torch.allclose(drawn, wanted, atol=1e-12)


@pytest.mark.usefixtures("in_double")
def test_its_first_and_last_steps_are_ddims() -> None:
    path = CosinePath(data_std=0.5, last_angle=1.4)
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))
    for steps, same in ((1, True), (2, True), (3, False)):
        first, second = (
            kind(path, steps).sample(denoise, (1, 1, 4, 4), torch.Generator().manual_seed(0))
            for kind in (DpmSolver, Ddim)
        )
        assert torch.allclose(first, second, atol=1e-12) == same


@pytest.mark.usefixtures("in_double")
def test_a_path_without_signal_at_its_end_is_followed() -> None:
    class WholeFlow(CosinePath):
        def signal(self, time: Tensor) -> Tensor:
            return 1 - time

        def noise(self, time: Tensor) -> Tensor:
            return time

    path = WholeFlow()
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))
    drawn = DpmSolver(path, 160).sample(denoise, (1, 1, 100, 100), torch.Generator().manual_seed(0))
    assert float(drawn.mean()) == pytest.approx(0.3, abs=0.02)
    assert float(drawn.std()) == pytest.approx(0.5, rel=0.02)
