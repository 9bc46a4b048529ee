"""Noise of a low dose against exact moments."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from vesalius.core import InputError
from vesalius.physics.ct.filtered_back_projection import filtered_back_projection
from vesalius.physics.ct.low_dose import WATER_PER_MM, LowDoseCT

N = 64


def disc(n: int, radius: float, fine: int = 8) -> np.ndarray:
    """A disc of ones about the middle, smoothed by the area of each pixel."""
    place = (np.arange(n * fine) + 0.5) / fine - n / 2
    inside = (place[:, None] ** 2 + place**2 <= radius**2).astype(np.float32)
    return inside.reshape(n, fine, n, fine).mean(axis=(1, 3)).astype(np.float32)


def noise_of(degradation: LowDoseCT, hu: torch.Tensor, seed: int, pixel_mm: float) -> torch.Tensor:
    record = {"noise_seed": seed, "pixel_mm": pixel_mm}
    return degradation.apply(hu, record)[0] - hu


def test_noise_has_no_mean_and_the_variance_of_the_linear_map() -> None:
    n, pixel_mm = 15, 4.0
    low = LowDoseCT(dose=0.2, quanta_per_mm=2e3, electronic=6.0, angles=12)
    hu = torch.from_numpy(disc(n, 5) * 1000 - 1000)[None]
    rays = low.rays((n, n))
    mean = low.mean_quanta(hu, pixel_mm)[0].numpy()
    integrals = rays.forward((1 + hu[None] / 1000) * WATER_PER_MM * pixel_mm)[0, 0]
    assert np.allclose(mean, 0.2 * 2e3 * pixel_mm * np.exp(-integrals.numpy()), rtol=1e-5)
    # exact: each ray's variance, through the squared entries of the reconstruction
    ray = 0.8 / mean + (1 - 0.2**2) * 36 / mean**2
    units = torch.eye(mean.size, dtype=torch.float64).reshape(-1, 1, *mean.shape)
    entries = filtered_back_projection(rays, units)[:, 0].numpy()
    entries *= 1000 / (WATER_PER_MM * pixel_mm)
    exact = np.tensordot(ray.ravel(), entries**2, axes=1)
    draws = torch.cat([noise_of(low, hu, seed, pixel_mm) for seed in range(1200)]).numpy()
    error = np.sqrt(exact / len(draws))
    assert np.abs(draws.mean(0) / error).max() < 5, "no pixel has a mean"
    ratio = draws.var(0, ddof=1) / exact
    assert ratio.mean() == pytest.approx(1.0, abs=0.02)
    assert np.abs(ratio - 1).max() < 5.5 * math.sqrt(2 / len(draws))


def test_less_dose_is_more_noise_and_the_full_dose_none() -> None:
    hu = torch.from_numpy(disc(N, 20) * 1040 - 1000)[None]
    full = LowDoseCT(dose=1.0)
    assert torch.equal(noise_of(full, hu, 0, 3.0), torch.zeros_like(hu))
    spread = [
        float(noise_of(LowDoseCT(dose=dose, electronic=0.0), hu, 1, 3.0).std())
        for dose in (0.5, 0.1)
    ]
    # variances are as (1 - dose) / dose: 9 to 1
    assert (spread[1] / spread[0]) ** 2 == pytest.approx(9, rel=0.1)


def test_records_are_plain_and_wrong_doses_are_refused() -> None:
    low = LowDoseCT(dose=0.1, pixel_mm=2.5)
    record = low.draw(np.random.default_rng(0), (N, N))
    assert json.loads(json.dumps(record)) == record
    assert record["pixel_mm"] == 2.5
    hu = torch.full((2, N, N), -1000.0)
    y, operator = low.apply(hu, record)
    assert torch.equal(y, low.apply(hu, record)[0])
    assert not torch.equal(y[0], y[1]), "channels have noise of their own"
    assert operator.domain.shape == (2, N, N)
    for dose in (0.0, 1.5):
        with pytest.raises(InputError, match="dose"):
            LowDoseCT(dose=dose).draw(np.random.default_rng(0), (N, N))
    with pytest.raises(InputError, match="slices"):
        low.draw(np.random.default_rng(0), (8, 8, 8))
