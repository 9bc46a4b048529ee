from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import CosinePath, FlowPath, GaussianPath, KarrasPath
from vesalius.generative.paths.time_of_ratio import time_of_ratio
from vesalius.generative.samplers import Churn, Heun
from vesalius.testing.exact_denoiser import exact_denoiser


@pytest.mark.parametrize(
    "path", [CosinePath(), KarrasPath(), FlowPath()], ids=["cosine", "karras", "flow"]
)
def test_the_time_of_a_ratio_is_its_inverse(path: GaussianPath) -> None:
    times = torch.rand(20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(time_of_ratio(path, path.ratio(times)), times, atol=1e-9)
    assert float(time_of_ratio(path, torch.tensor([1e9]))) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "path", [CosinePath(data_std=0.5), KarrasPath(data_std=0.5)], ids=["cosine", "karras"]
)
@pytest.mark.usefixtures("in_double")
def test_without_churn_it_is_heun(path: GaussianPath) -> None:
    denoise = exact_denoiser(path, ((0.3, -0.5, 0.2), (0.7, 0.5, 0.1)))
    first, second = (
        sampler.sample(denoise, (1, 1, 4, 4), torch.Generator().manual_seed(0))
        for sampler in (Churn(path, 7, 0.0), Heun(path, 7, "ratio"))
    )
    assert torch.allclose(first, second, atol=1e-12)


def test_noise_is_added_where_it_should_be() -> None:
    path = KarrasPath()
    times = path.times(18)
    for churn, rise in ((1.8, 0.1), (1000.0, 2**0.5 - 1)):
        sampler = Churn(path, 18, churn, noise_low=0.05, noise_high=20.0)
        for time, raised in zip(times, sampler.raised(times), strict=False):
            now, up = float(path.noise(time)), float(path.noise(raised))
            inside = 0.05 <= now <= 20.0
            assert up == pytest.approx(now * (1 + rise) if inside else now, rel=1e-6)


def test_noise_never_rises_over_the_paths_end() -> None:
    path = KarrasPath(noise_max=5.0)
    raised = Churn(path, 10, 100.0, noise_high=1e9).raised(path.times(10))
    assert float(raised.max()) <= 1.0


def test_inflation_widens_draws() -> None:
    path = KarrasPath(data_std=0.5, noise_max=10.0)
    denoise = exact_denoiser(path, ((1.0, 0.3, 0.5),))

    def deviation(inflation: float) -> float:
        sampler = Churn(path, 40, 40.0, inflation=inflation)
        drawn: Tensor = sampler.sample(denoise, (1, 1, 80, 80), torch.Generator().manual_seed(0))
        return float(drawn.std())

    assert deviation(1.1) > 1.03 * deviation(1.0)


@pytest.mark.parametrize(
    "wrong", [{"churn": -1.0}, {"noise_low": 2.0, "noise_high": 1.0}, {"inflation": 0.0}]
)
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Churn(KarrasPath(), 10, **wrong)
