from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import CosinePath, KarrasPath, VarianceExplodingPath
from vesalius.generative.samplers import Langevin, PredictorCorrector
from vesalius.generative.samplers.langevin import score_of
from vesalius.testing.exact_denoiser import exact_denoiser


def test_the_score_of_a_gaussian() -> None:
    path = CosinePath(data_std=0.5)
    time = torch.tensor([0.2, 0.9], dtype=torch.float64)
    x = torch.randn(2, 1, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    score = score_of(path, x, exact_denoiser(path, ((1.0, 0.3, 0.5),))(x, time), time)
    signal, noise = (part.view(2, 1, 1, 1) for part in (path.signal(time), path.noise(time)))
    wanted = -(x - 0.3 * signal) / ((0.5 * signal) ** 2 + noise**2)
    assert torch.allclose(score, wanted, atol=1e-9)


def test_what_is_left_of_the_noise_is_as_stated() -> None:
    path = VarianceExplodingPath(data_std=0.5, noise_max=10.0)
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))
    fall = math.log(10.0 / 0.01) / 49
    for corrections, size in ((4, 1.0), (8, 0.5)):
        sampler = Langevin(path, 50, corrections, size)
        drawn = sampler.sample(denoise, (1, 1, 150, 150), torch.Generator().manual_seed(0))
        excess = float(drawn.var()) / 0.25 - 1
        assert excess == pytest.approx((2 / size + 0.5) * fall / corrections, rel=0.25)


def test_corrections_repair_coarse_steps() -> None:
    """Ancestral steps that are too few draw too little variance; Langevin gives it back."""
    path = KarrasPath(data_std=0.5, noise_max=10.0)
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))

    def deviation(corrections: int) -> float:
        sampler = PredictorCorrector(path, 25, corrections, 0.2)
        drawn: Tensor = sampler.sample(denoise, (1, 1, 100, 100), torch.Generator().manual_seed(0))
        return float(drawn.std())

    assert deviation(0) < 0.45
    assert abs(deviation(4) - 0.5) < abs(deviation(0) - 0.5) / 2


def test_cases_do_not_know_each_other() -> None:
    """The size of a correction is the case's own."""
    path = KarrasPath(data_std=0.5, noise_max=10.0)

    def first(second: float) -> Tensor:
        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None
            return x * torch.tensor([0.5, second]).view(2, 1, 1, 1)

        sampler = PredictorCorrector(path, 5)
        return sampler.sample(predict, (2, 1, 4, 4), torch.Generator().manual_seed(0))[0]

    assert torch.equal(first(0.5), first(-3.0))


def test_impossible_settings_are_refused() -> None:
    for wrong in ({"corrections": 0}, {"step_size": 0.0}, {"step_size": 2.0}):
        with pytest.raises(InputError):
            Langevin(KarrasPath(), 10, **wrong)
    for wrong in ({"corrections": -1}, {"snr": 0.0}, {"snr": 1.0}):
        with pytest.raises(InputError):
            PredictorCorrector(KarrasPath(), 10, **wrong)
