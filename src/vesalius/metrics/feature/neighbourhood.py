"""Neighbourhood grey-tone differences (NGTDM): how a voxel differs from those around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vesalius.metrics.feature.grey_levels import Levels, Values

Integers = NDArray[np.int32]

NEIGHBOURHOOD = ("coarseness", "contrast", "busyness", "complexity", "strength")


def _around(values: Integers) -> Integers:
    """Sum over the 3 x 3 (x 3) box without its middle, zero beyond the border."""
    middle = values
    for axis in range(1, values.ndim):
        along = np.moveaxis(values, axis, 0)
        total = along.copy()
        total[1:] += along[:-1]
        total[:-1] += along[1:]
        values = np.moveaxis(total, 0, axis)
    return values - middle


def neighbourhood(levels: Levels, bins: int) -> Values:
    """``NEIGHBOURHOOD`` of each image: ``(case, *space)`` to ``(case, feature)``.

    Distance 1; a voxel without a neighbour inside does not count. Reference: IBSI 4.10; Zwanenburg
    et al. 2020, Radiology 295:328; Amadasun and King 1989. One deviation: the coarseness of a flat
    image, undefined and by IBSI "an arbitrary 10^6", is 1, the end of the range of other images.
    """
    cases, dimensions = len(levels), levels.ndim - 1
    neighbours = _around((levels > 0).astype(np.int32))
    counted = (levels > 0) & (neighbours > 0)
    mean = _around(levels.astype(np.int32)) / np.maximum(neighbours, 1)
    difference = np.where(counted, np.abs(levels - mean), 0.0)
    case_place = np.arange(cases).reshape(-1, *(1,) * dimensions) * (bins + 1)
    place = (np.where(counted, levels, 0) + case_place).ravel()

    def by_level(weight: Values | None) -> Values:
        found = np.bincount(place, weights=weight, minlength=cases * (bins + 1))
        return np.asarray(found.reshape(cases, -1)[:, 1:], dtype=np.float64)

    number = by_level(None)
    s = by_level(difference.ravel())
    total = np.maximum(number.sum(1), 1.0)
    p = number / total[:, None]
    level = np.arange(1, bins + 1, dtype=np.float64)
    present = p > 0
    kinds = present.sum(1)
    both = present[:, :, None] & present[:, None, :]
    apart = np.abs(level[:, None] - level[None, :])
    weighted = p * s
    roughness, unlike = weighted.sum(1), s.sum(1)
    pair_share = p[:, :, None] + p[:, None, :]
    safe_share = np.where(both, pair_share, 1.0)
    uneven = (np.abs((level * p)[:, :, None] - (level * p)[:, None, :]) * both).sum((1, 2))
    spread = 2 * (p @ level**2 - (p @ level) ** 2)
    complexity = ((weighted[:, :, None] + weighted[:, None, :]) / safe_share * both * apart).sum(
        (1, 2)
    )
    strength = (pair_share * apart**2 * both).sum((1, 2))
    rough = roughness > 0
    features = {
        "coarseness": np.where(rough, 1 / np.where(rough, roughness, 1.0), 1.0),
        "contrast": spread / np.maximum(kinds * (kinds - 1), 1) * unlike / total,
        "busyness": np.where(uneven > 0, roughness / np.where(uneven > 0, uneven, 1.0), 0.0),
        "complexity": complexity / total,
        "strength": np.where(unlike > 0, strength / np.where(unlike > 0, unlike, 1.0), 0.0),
    }
    assert tuple(features) == NEIGHBOURHOOD
    return np.stack(list(features.values()), axis=1)
