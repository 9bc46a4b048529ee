"""Features that run-length and size-zone matrices share: how long, how bright, how even."""

from __future__ import annotations

import numpy as np

from vesalius.metrics.feature.grey_levels import Levels, Values

EMPHASIS = (
    "short_emphasis", "long_emphasis", "low_level_emphasis", "high_level_emphasis",
    "short_low_level_emphasis", "short_high_level_emphasis", "long_low_level_emphasis",
    "long_high_level_emphasis", "level_non_uniformity", "normalised_level_non_uniformity",
    "length_non_uniformity", "normalised_length_non_uniformity", "percentage", "level_variance",
    "length_variance", "entropy",
)  # fmt: skip


def emphasis(group: Levels, level: Levels, length: Levels, count: Levels, voxels: Levels) -> Values:
    """``EMPHASIS`` of each sparse matrix: ``(group, feature)``.

    Parameters
    ----------
    group, level, length, count:
        ``(entry,)``: the non-zero entries of the matrices, each combination once. "length" is a
        run's length or a zone's size in voxels; levels count from 1.
    voxels:
        ``(group,)``: voxels inside the mask.

    Returns zeros for a group without entries. Reference: IBSI 4.7 and 4.8; Zwanenburg et al. 2020,
    Radiology 295:328.
    """
    groups = len(voxels)

    def per_group(weight: Values, where: Levels = group) -> Values:
        return np.asarray(np.bincount(where, weights=weight, minlength=groups), dtype=np.float64)

    number = per_group(count.astype(np.float64))
    runs = np.maximum(number, 1.0)
    share = count / runs[group]

    def unevenness(of: Levels) -> Values:
        place, index = np.unique(group * (int(of.max(initial=0)) + 1) + of, return_inverse=True)
        margin = np.zeros(len(place))
        np.add.at(margin, index, count)
        owner = np.zeros(len(place), dtype=np.int64)
        owner[index] = group
        return per_group(margin * margin, owner)

    level2, length2 = level.astype(np.float64) ** 2, length.astype(np.float64) ** 2
    by_level, by_length = unevenness(level), unevenness(length)
    high, long = per_group(share * level2), per_group(share * length2)
    features = {
        "short_emphasis": per_group(share / length2),
        "long_emphasis": long,
        "low_level_emphasis": per_group(share / level2),
        "high_level_emphasis": high,
        "short_low_level_emphasis": per_group(share / (level2 * length2)),
        "short_high_level_emphasis": per_group(share * level2 / length2),
        "long_low_level_emphasis": per_group(share * length2 / level2),
        "long_high_level_emphasis": per_group(share * level2 * length2),
        "level_non_uniformity": by_level / runs,
        "normalised_level_non_uniformity": by_level / runs**2,
        "length_non_uniformity": by_length / runs,
        "normalised_length_non_uniformity": by_length / runs**2,
        "percentage": number / np.maximum(voxels, 1),
        "level_variance": np.maximum(high - per_group(share * level) ** 2, 0.0),
        "length_variance": np.maximum(long - per_group(share * length) ** 2, 0.0),
        "entropy": per_group(-share * np.log2(share)),
    }
    assert tuple(features) == EMPHASIS
    return np.stack(list(features.values()), axis=1)
