"""Noise against its exact moments."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from vesalius.core import InputError
from vesalius.physics.degradation import Degradation
from vesalius.physics.gaussian_noise import GaussianNoise
from vesalius.physics.rician_noise import RicianNoise

SPACE = (200, 200)


def drawn(degradation: Degradation, x: torch.Tensor, seed: int = 0) -> torch.Tensor:
    record = degradation.draw(np.random.default_rng(seed), tuple(x.shape[1:]))
    assert json.loads(json.dumps(record)) == record
    y, operator = degradation.apply(x, record)
    again, _ = degradation.apply(x, record)
    assert torch.equal(y, again), "the record makes the case again"
    assert torch.equal(operator.forward(x[None])[0], x)
    return y


def test_gaussian_noise_has_its_mean_and_standard_deviation() -> None:
    x = torch.full((1, *SPACE), 7.0)
    noise = drawn(GaussianNoise(25.0), x) - x
    n = noise.numel()
    assert abs(float(noise.mean())) < 4 * 25 / math.sqrt(n)
    assert float(noise.std()) == pytest.approx(25.0, abs=4 * 25 / math.sqrt(2 * n))
    assert not torch.equal(noise, drawn(GaussianNoise(25.0), x, seed=1) - x)
    neighbours = (noise[0, :, 1:] * noise[0, :, :-1]).mean() / 25**2
    assert abs(float(neighbours)) < 4 / math.sqrt(n), "white"


def test_rician_noise_has_rayleigh_air_and_its_second_moment() -> None:
    air = drawn(RicianNoise(10.0), torch.zeros(1, *SPACE))
    n = air.numel()
    mean, variance = 10 * math.sqrt(math.pi / 2), (2 - math.pi / 2) * 100
    assert float(air.mean()) == pytest.approx(mean, abs=4 * math.sqrt(variance / n))
    assert float(air.min()) >= 0
    bright = drawn(RicianNoise(10.0), torch.full((1, *SPACE), 40.0))
    # y^2 / s^2 is non-central chi-square: mean 2 + l, variance 2 (2 + 2 l) with l = x^2 / s^2
    second = float((bright / 10).square().double().mean())
    assert second == pytest.approx(2 + 16, abs=4 * math.sqrt(2 * (2 + 2 * 16) / n))


@pytest.mark.parametrize("kind", [GaussianNoise, RicianNoise])
def test_no_noise_changes_nothing_and_less_than_none_is_refused(kind: type[Degradation]) -> None:
    x = torch.rand(1, 5, 6, 7)
    assert torch.equal(drawn(kind(std=0.0), x), x)  # type: ignore[call-arg]
    with pytest.raises(InputError, match="standard deviation"):
        drawn(kind(std=-1.0), x)  # type: ignore[call-arg]
