"""On real chest X-rays: the floor is low, and worse images are farther, whatever the distance."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from vesalius.core.rng import numpy_stream
from vesalius.metrics.feature import (
    Coverage,
    FrechetRadiomicsDistance,
    KernelDistance,
    MaximumMeanDiscrepancy,
    RadiomicFeatures,
    Standardised,
    real_floor,
)

DATA = Path(os.environ.get("VESALIUS_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
FILE = DATA / "pneumoniamnist" / "pneumoniamnist.npz"


@pytest.mark.skipif(not FILE.is_file(), reason="needs the PneumoniaMNIST images of the test data")
def test_distances_order_real_blurred_and_noisy_chest_radiographs() -> None:
    with np.load(FILE, allow_pickle=False) as archive:
        images = archive["train_images"][:240].astype(np.float64)
    rng = numpy_stream(0, "noise")
    extractor = RadiomicFeatures((0, 255), sigmas_mm=(1.0,), wavelet="haar")

    def features(values: np.ndarray) -> torch.Tensor:
        return extractor.features(torch.from_numpy(values)[:, None])

    real, held_out = features(images[:120]), features(images[120:])
    blurred = [features(ndimage.gaussian_filter(images[120:], (0, s, s))) for s in (0.5, 1.0)]
    noisy = [features(images[120:] + rng.normal(size=(120, 28, 28)) * s) for s in (5.0, 20.0)]
    patients = [str(case) for case in range(120)]
    for metric in (
        FrechetRadiomicsDistance(),
        Standardised(KernelDistance()),
        Standardised(MaximumMeanDiscrepancy()),
    ):
        near = metric.value(held_out, real)
        for little, much in (blurred, noisy):
            assert near < metric.value(little, real) < metric.value(much, real), metric.name
        _, _, high = real_floor(metric, real, patients, rng, repeats=10)
        assert near < 1.5 * high + 0.01, metric.name
    coverage = Standardised(Coverage())
    assert coverage.value(held_out, real) > 0.8 > coverage.value(noisy[1], real)
