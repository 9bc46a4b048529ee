from __future__ import annotations

import pytest
import torch

from vesalius.generative.paths import CosinePath, FlowPath, GaussianPath, KarrasPath, LinearBetaPath
from vesalius.generative.samplers import Ancestral, Ddim
from vesalius.generative.samplers.ancestral import forward_std, step_back
from vesalius.testing.exact_denoiser import exact_denoiser

PATHS = [
    CosinePath(data_std=0.5),
    KarrasPath(data_std=0.5),
    FlowPath(data_std=0.5),
    LinearBetaPath(data_std=0.5),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: type(path).__name__)
@pytest.mark.usefixtures("in_double")
def test_it_draws_what_ddim_of_eta_one_draws(path: GaussianPath) -> None:
    denoise = exact_denoiser(path, ((0.3, -0.5, 0.2), (0.7, 0.5, 0.1)))
    first, second = (
        sampler.sample(denoise, (2, 1, 5, 5), torch.Generator().manual_seed(3))
        for sampler in (Ancestral(path, 12), Ddim(path, 12, 1.0))
    )
    assert torch.allclose(first, second, atol=1e-9)


def test_a_step_of_ddpm_by_hand() -> None:
    """Ho et al. 2020, equations 6 and 7, with beta 0.02 on alpha_bar 0.9 -> 0.882."""
    before, after = 0.9, 0.9 * 0.98
    then, now = (before**0.5, (1 - before) ** 0.5), (after**0.5, (1 - after) ** 0.5)
    beta = 0.02
    assert forward_std(now, then) == pytest.approx(beta**0.5)
    x, clean, fresh = torch.tensor(0.7), torch.tensor(-0.4), torch.tensor(1.5)
    mean = before**0.5 * beta / (1 - after) * clean + (0.98**0.5) * (1 - before) / (1 - after) * x
    assert torch.allclose(step_back(x, clean, now, then, None), mean)
    tilde = (1 - before) / (1 - after) * beta
    for variance, size in (("posterior", tilde), ("prior", beta)):
        found = step_back(x, clean, now, then, fresh, variance)
        assert torch.allclose(found, mean + size**0.5 * fresh), variance


def test_the_two_variances_lie_on_either_side_of_the_truth() -> None:
    """Of few steps, the posterior's draws too little and the prior's too much."""
    path = CosinePath(data_std=0.5, last_angle=1.5)
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))
    low, high = (
        float(
            Ancestral(path, 12, variance)
            .sample(denoise, (1, 1, 100, 100), torch.Generator().manual_seed(0))
            .std()
        )
        for variance in ("posterior", "prior")
    )
    assert low < 0.48
    assert high > 0.5
