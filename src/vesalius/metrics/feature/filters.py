"""Filtered images whose texture is measured too: Laplacian of Gaussian and wavelet bands."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Literal

import numpy as np

from vesalius.metrics.feature.grey_levels import Values

Wavelet = Literal["haar", "coif1"]

# scaling filters of unit sum (Daubechies 1992, table 8.1): a low-pass band keeps the image's unit
_ROOT7 = 7**0.5
_LOW_PASS: dict[Wavelet, Values] = {
    "haar": np.array([1.0, 1.0]) / 2,
    "coif1": np.array(
        [1 - _ROOT7, 5 + _ROOT7, 14 + 2 * _ROOT7, 14 - 2 * _ROOT7, 1 - _ROOT7, -3 + _ROOT7]
    ) / 32,
}  # fmt: skip


def wavelet_filters(wavelet: Wavelet) -> tuple[Values, Values]:
    """Low-pass filter (sum 1) and its quadrature mirror, the high-pass filter (sum 0)."""
    low = _LOW_PASS[wavelet]
    return low, low[::-1] * (-1.0) ** np.arange(len(low))


def _matrix(kernel: Values, centre: int, size: int) -> Values:
    """Correlation with ``kernel`` along an axis of ``size``, the border mirrored (b a|a b)."""
    place = np.arange(size)[:, None] + np.arange(len(kernel)) - centre
    wrapped = place % (2 * size)
    mirrored = np.minimum(wrapped, 2 * size - 1 - wrapped)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], mirrored), kernel)
    return matrix


@lru_cache(maxsize=64)
def _gaussian_matrices(sigma_voxels: float, size: int) -> tuple[Values, Values]:
    """Gaussian blur, and sigma^2 times the second derivative of that blur."""
    radius = max(1, int(np.ceil(6 * sigma_voxels)))
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    blur = np.exp(-0.5 * (x / sigma_voxels) ** 2)
    blur /= blur.sum()
    curve = (x**2 / sigma_voxels**2 - 1) * blur
    # sampling (of narrow blurs) leaves a little response to a constant: take it out, then make
    # the response to x^2 exact
    curve -= blur * curve.sum()
    curve *= 2 * sigma_voxels**2 / (curve @ x**2)
    return _matrix(blur, radius, size), _matrix(curve, radius, size)


@lru_cache(maxsize=64)
def _wavelet_matrices(wavelet: Wavelet, size: int) -> tuple[Values, Values]:
    low, high = wavelet_filters(wavelet)
    centre = len(low) // 2 - 1
    return _matrix(low, centre, size), _matrix(high, centre, size)


def _along(matrix: Values, images: Values, axis: int) -> Values:
    return np.asarray(np.moveaxis(np.moveaxis(images, axis, -1) @ matrix.T, -1, axis))


def laplacian_of_gaussian(images: Values, sigma_mm: float, spacing_mm: tuple[float, ...]) -> Values:
    """sigma^2 times the Laplacian of the Gaussian-blurred images, in the images' own unit.

    ``images``: ``(case, *space)``; ``spacing_mm``: one voxel size an axis of space. Borders are
    mirrored. Exactly zero for a constant image. Reference: IBSI 2, Zwanenburg et al. 2022,
    arXiv:2006.05470 (there without the factor sigma^2).
    """
    pairs = [
        _gaussian_matrices(sigma_mm / spacing, size)
        for spacing, size in zip(spacing_mm, images.shape[1:], strict=True)
    ]
    total = np.zeros_like(images)
    for curved in range(len(pairs)):
        term = images
        for axis, (blur, curve) in enumerate(pairs):
            term = _along(curve if axis == curved else blur, term, axis + 1)
        total += term
    return total


def wavelet_bands(images: Values, wavelet: Wavelet) -> dict[str, Values]:
    """One undecimated wavelet level: bands by name, each of the shape of ``images``.

    Names give the filter along each axis of space in order: "LL", "LH", "HL", "HH" in 2D, eight in
    3D. Filters are scaled so that the low-pass one sums to 1. Reference: IBSI 2, Zwanenburg et al.
    2022, arXiv:2006.05470.
    """
    bands = {"": images}
    for axis in range(1, images.ndim):
        low, high = _wavelet_matrices(wavelet, images.shape[axis])
        bands = {
            name + letter: _along(matrix, band, axis)
            for (name, band), (letter, matrix) in itertools.product(
                bands.items(), (("L", low), ("H", high))
            )
        }
    return bands
