"""Intensities to grey levels: a fixed number of bins over a stated range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Inside = NDArray[np.bool_]
Levels = NDArray[np.int64]


def grey_levels(values: Values, inside: Inside, low: float, high: float, bins: int) -> Levels:
    """Levels 1 to ``bins`` inside the mask and 0 outside it, same shape as ``values``.

    The range is the caller's and never the image's, so one intensity has one level in all images.
    What lies beyond the range takes the first or the last level.

    Reference: IBSI, "fixed bin number" (K15C) with the range given; Zwanenburg et al. 2020,
    Radiology 295:328.

    >>> grey_levels(np.array([0.0, 0.9, 1.0, 4.0, 9.0]), np.array([True] * 5), 0, 4, 4).tolist()
    [1, 1, 2, 4, 4]
    """
    # the rounding of a filtered flat region must not decide between two levels
    scaled = np.floor((values - low) * (bins / (high - low)) + 1e-9)
    levels = np.clip(scaled, 0, bins - 1).astype(np.int64) + 1
    return np.where(inside, levels, 0)


def directions(dimensions: int) -> tuple[tuple[int, ...], ...]:
    """One of each pair of opposite neighbours at Chebyshev distance 1: 4 in 2D, 13 in 3D."""
    steps = (np.indices((3,) * dimensions).reshape(dimensions, -1).T - 1).tolist()
    return tuple(tuple(step) for step in steps[len(steps) // 2 + 1 :])


def overlap(step: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of the voxels that have a neighbour at ``step`` and of those neighbours."""
    here = tuple(slice(max(0, -s), -s if s > 0 else None) for s in step)
    there = tuple(slice(max(0, s), s if s < 0 else None) for s in step)
    return here, there
