"""Filters with closed forms: blobs, parabolas, orthonormal wavelets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from vesalius.metrics.feature.filters import (
    Wavelet,
    laplacian_of_gaussian,
    wavelet_bands,
    wavelet_filters,
)

WAVELETS: tuple[Wavelet, ...] = ("haar", "coif1")


@pytest.mark.parametrize("sigma_mm", [1.0, 2.0, 3.0])
def test_laplacian_of_a_gaussian_blob(sigma_mm: float) -> None:
    # a blob of width s, blurred, has width sqrt(s^2 + sigma^2); its Laplacian is known
    spacing = (1.0, 0.5)
    y = (np.arange(81) - 40.0)[:, None] * spacing[0]
    x = (np.arange(161) - 80.0)[None] * spacing[1]
    blob_mm = 4.0
    width2 = blob_mm**2 + sigma_mm**2
    radius2 = y**2 + x**2
    blob = np.exp(-0.5 * radius2 / blob_mm**2)
    blurred = blob_mm**2 / width2 * np.exp(-0.5 * radius2 / width2)
    expected = sigma_mm**2 * blurred * (radius2 / width2**2 - 2 / width2)
    found = laplacian_of_gaussian(blob[None], sigma_mm, spacing)[0]
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_laplacian_of_a_parabola_and_of_a_constant() -> None:
    x = np.arange(60.0)[None, :, None] * np.ones((1, 60, 60))
    response = laplacian_of_gaussian(x**2, 2.0, (1.0, 1.0))
    assert response[0, 20:40, 20:40] == pytest.approx(2 * 2.0**2)  # sigma^2 times 2
    assert np.abs(laplacian_of_gaussian(np.full((1, 9, 9), -1000.0), 2.0, (1.0, 1.0))).max() < 1e-9


def test_laplacian_against_scipy_in_3d() -> None:
    image = np.random.default_rng(0).normal(size=(12, 13, 14))
    found = laplacian_of_gaussian(image[None], 1.5, (1.0, 1.0, 1.0))[0]
    expected = 1.5**2 * ndimage.gaussian_laplace(image, 1.5, mode="reflect", truncate=6.0)
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_wavelet_filters_are_orthonormal_with_vanishing_moments(wavelet: Wavelet) -> None:
    low, high = wavelet_filters(wavelet)
    assert low.sum() == pytest.approx(1)
    for shift in range(0, len(low), 2):
        moved_low, still_low = np.pad(low, (shift, 0)), np.pad(low, (0, shift))
        assert moved_low @ still_low == pytest.approx(0.5 if shift == 0 else 0.0, abs=1e-14)
        assert moved_low @ np.pad(high, (0, shift)) == pytest.approx(0.0, abs=1e-14)
        assert still_low @ np.pad(high, (shift, 0)) == pytest.approx(0.0, abs=1e-14)
    moments = 1 if wavelet == "haar" else 2
    for power in range(moments):
        assert high @ np.arange(len(high)) ** power == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_bands_of_a_constant_and_of_noise(wavelet: Wavelet) -> None:
    bands = wavelet_bands(np.full((1, 8, 9), 7.0), wavelet)
    assert list(bands) == ["LL", "LH", "HL", "HH"]
    assert bands["LL"] == pytest.approx(7.0)
    assert max(np.abs(bands[name]).max() for name in ("LH", "HL", "HH")) < 1e-13
    noise = np.random.default_rng(0).normal(size=(1, 64, 64))
    # undecimated orthonormal filters, scaled by 1/sqrt(2) each, keep the energy in all
    energy = sum(float((band**2).sum()) for band in wavelet_bands(noise, wavelet).values())
    assert energy == pytest.approx(float((noise**2).sum()), rel=0.05)


def test_haar_by_hand() -> None:
    image = np.array([[[1.0, 3.0], [5.0, 9.0]]])
    bands = wavelet_bands(image, "haar")
    assert bands["LL"][0, 0, 0] == (1 + 3 + 5 + 9) / 4
    assert abs(bands["LH"][0, 0, 0]) == abs((1 - 3 + 5 - 9) / 4)  # high along columns
    assert abs(bands["HL"][0, 0, 0]) == abs((1 + 3 - 5 - 9) / 4)  # high along rows
    assert abs(bands["HH"][0, 0, 0]) == abs((1 - 3 - 5 + 9) / 4)


def test_eight_bands_in_3d() -> None:
    bands = wavelet_bands(np.random.default_rng(0).normal(size=(2, 4, 5, 6)), "coif1")
    assert len(bands) == 8
    assert all(band.shape == (2, 4, 5, 6) for band in bands.values())
