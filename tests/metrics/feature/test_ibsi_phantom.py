"""The digital phantom of the Image Biomarker Standardisation Initiative and its consensus values.

Phantom and values: Zwanenburg et al., IBSI reference manual, arXiv:1612.07003, CC BY 4.0. The
manual gives three significant digits, and they all must agree.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vesalius.metrics.feature import RadiomicFeatures

# slices in z, rows in y, columns in x; 0 is outside the region of interest
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)

FIRST_ORDER = {
    "mean": 2.15, "variance": 3.05, "skewness": 1.08, "kurtosis": -0.355, "median": 1,
    "minimum": 1, "percentile_10": 1, "percentile_90": 4, "maximum": 6,
    "interquartile_range": 3, "range": 5, "mean_absolute_deviation": 1.55,
    "robust_mean_absolute_deviation": 1.11, "median_absolute_deviation": 1.15, "energy": 567,
    "root_mean_square": 2.77, "entropy": 1.27, "uniformity": 0.512,
}  # fmt: skip

# feature: ("3D averaged", "2D averaged")
GLCM = {
    "joint_maximum": (0.503, 0.519), "joint_average": (2.14, 2.14), "joint_variance": (3.1, 2.69),
    "joint_entropy": (2.4, 2.05), "dissimilarity": (1.43, 1.42),
    "difference_variance": (3.06, 2.9), "difference_entropy": (1.56, 1.4),
    "sum_entropy": (1.92, 1.6), "angular_second_moment": (0.303, 0.368), "contrast": (5.32, 5.28),
    "inverse_difference": (0.677, 0.678), "normalised_inverse_difference": (0.851, 0.851),
    "inverse_difference_moment": (0.618, 0.619),
    "normalised_inverse_difference_moment": (0.898, 0.899), "inverse_variance": (0.0604, 0.0567),
    "correlation": (0.157, -0.0121), "autocorrelation": (5.06, 5.09),
    "cluster_tendency": (7.07, 5.47), "cluster_shade": (16.6, 7),
    "cluster_prominence": (145, 79.1), "information_correlation_1": (-0.157, -0.155),
    "information_correlation_2": (0.52, 0.487),
}  # fmt: skip
GLRLM = {
    "short_emphasis": (0.705, 0.641), "long_emphasis": (3.06, 3.78),
    "low_level_emphasis": (0.603, 0.604), "high_level_emphasis": (9.7, 9.82),
    "short_low_level_emphasis": (0.352, 0.294), "short_high_level_emphasis": (8.54, 8.57),
    "long_low_level_emphasis": (2.39, 3.14), "long_high_level_emphasis": (17.6, 17.4),
    "level_non_uniformity": (21.8, 5.2), "normalised_level_non_uniformity": (0.43, 0.46),
    "length_non_uniformity": (26.9, 6.12), "normalised_length_non_uniformity": (0.513, 0.492),
    "percentage": (0.68, 0.627), "level_variance": (3.46, 3.35), "length_variance": (0.574, 0.761),
    "entropy": (2.43, 2.17),
}  # fmt: skip
GLSZM = {
    "short_emphasis": (0.255, 0.363), "long_emphasis": (550, 43.9),
    "low_level_emphasis": (0.253, 0.371), "high_level_emphasis": (15.6, 16.4),
    "short_low_level_emphasis": (0.0256, 0.0259), "short_high_level_emphasis": (2.76, 10.3),
    "long_low_level_emphasis": (503, 40.4), "long_high_level_emphasis": (1490, 113),
    "level_non_uniformity": (1.4, 1.41), "normalised_level_non_uniformity": (0.28, 0.323),
    "length_non_uniformity": (1, 1.49), "normalised_length_non_uniformity": (0.2, 0.333),
    "percentage": (0.0676, 0.24), "level_variance": (2.64, 3.97), "length_variance": (331, 21),
    "entropy": (2.32, 1.93),
}  # fmt: skip
NGTDM = {
    "coarseness": (0.0296, 0.121), "contrast": (0.584, 0.925), "busyness": (6.54, 2.99),
    "complexity": (13.5, 10.4), "strength": (0.763, 2.88),
}  # fmt: skip
TEXTURES = {
    f"{family}.{name}": values
    for family, table in {
        "glcm": GLCM, "glrlm": GLRLM, "glszm": GLSZM, "ngtdm": NGTDM,
    }.items()
    for name, values in table.items()
}  # fmt: skip


def measured(dimensions: int) -> dict[str, float]:
    extractor = RadiomicFeatures(
        (0.5, 6.5), dimensions=dimensions, bins=6, sigmas_mm=(), wavelet=None
    )
    grid = torch.from_numpy(PHANTOM)
    # in 2D the four slices are four cases, averaged as IBSI averages over slices
    images = (grid[None, None] if dimensions == 3 else grid[:, None]).double()
    found = extractor.features(images, images > 0).mean(0)
    names = [name.removeprefix("original.") for name in extractor.feature_names]
    return dict(zip(names, found.tolist(), strict=True))


def half_digit(value: float) -> float:
    """Half a unit of the third significant digit."""
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - 2)


@pytest.fixture(scope="module")
def found_3d() -> dict[str, float]:
    return measured(3)


@pytest.fixture(scope="module")
def found_2d() -> dict[str, float]:
    return measured(2)


def test_phantom_has_the_74_voxels_of_the_manual() -> None:
    assert (PHANTOM > 0).sum() == 74
    assert set(np.unique(PHANTOM)) == {0, 1, 3, 4, 6}


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_first_order(found_3d: dict[str, float], name: str) -> None:
    reference = FIRST_ORDER[name]
    assert abs(found_3d[f"first_order.{name}"] - reference) <= half_digit(reference) * 1.001


@pytest.mark.parametrize("name", TEXTURES)
def test_texture_in_3d(found_3d: dict[str, float], name: str) -> None:
    reference = TEXTURES[name][0]
    assert abs(found_3d[name] - reference) <= half_digit(reference) * 1.001


@pytest.mark.parametrize("name", TEXTURES)
def test_texture_in_2d(found_2d: dict[str, float], name: str) -> None:
    reference = TEXTURES[name][1]
    assert abs(found_2d[name] - reference) <= half_digit(reference) * 1.001


def test_every_feature_has_a_reference(found_3d: dict[str, float]) -> None:
    assert set(found_3d) == {f"first_order.{name}" for name in FIRST_ORDER} | set(TEXTURES)
