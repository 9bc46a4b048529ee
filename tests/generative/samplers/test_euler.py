from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.generative.paths import CosinePath, FlowPath, GaussianPath, KarrasPath
from vesalius.generative.samplers import Ddim, Euler
from vesalius.testing.exact_denoiser import exact_denoiser


def both(path: GaussianPath, steps: int) -> tuple[Tensor, Tensor]:
    """Draws of Euler and of DDIM from one start."""
    denoise = exact_denoiser(path, ((0.3, -0.5, 0.2), (0.7, 0.5, 0.1)))
    first, second = (
        kind(path, steps).sample(denoise, (2, 1, 4, 4), torch.Generator().manual_seed(0))
        for kind in (Euler, Ddim)
    )
    return first, second


@pytest.mark.usefixtures("in_double")
def test_it_is_ddim_on_straight_paths_only() -> None:
    for steps in (1, 2, 7):
        euler, ddim = both(FlowPath(data_std=0.5), steps)
        assert torch.allclose(euler, ddim, atol=1e-10)
    for path in (CosinePath(data_std=0.5), KarrasPath(data_std=0.5)):
        euler, ddim = both(path, 7)
        assert float((euler - ddim).abs().max()) > 0.01


@pytest.mark.usefixtures("in_double")
def test_a_step_by_hand() -> None:
    """On the cosine path dx/dt = w (cos(a) e - sin(a) x0), a = w t, w the last angle."""
    path = CosinePath(last_angle=1.5)
    clean = torch.full((1, 1, 1, 1), 0.4)
    seen: list[Tensor] = []

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        seen.append(x)
        return clean

    assert torch.equal(Euler(path, 2).sample(predict, (1, 1, 1, 1), torch.Generator()), clean)
    angle = torch.tensor(1.5)
    noise = (seen[0] - torch.cos(angle) * clean) / torch.sin(angle)
    flow = 1.5 * (torch.cos(angle) * noise - torch.sin(angle) * clean)
    assert torch.allclose(seen[1], seen[0] - 0.5 * flow)
