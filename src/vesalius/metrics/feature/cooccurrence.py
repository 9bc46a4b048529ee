"""Grey-level co-occurrence (GLCM): which levels lie side by side."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vesalius.metrics.feature.grey_levels import Levels, Values, directions, overlap

COOCCURRENCE = (
    "joint_maximum", "joint_average", "joint_variance", "joint_entropy", "dissimilarity",
    "difference_variance", "difference_entropy", "sum_entropy", "angular_second_moment",
    "contrast", "inverse_difference", "normalised_inverse_difference",
    "inverse_difference_moment", "normalised_inverse_difference_moment", "inverse_variance",
    "correlation", "autocorrelation", "cluster_tendency", "cluster_shade", "cluster_prominence",
    "information_correlation_1", "information_correlation_2",
)  # fmt: skip


def cooccurrence_matrices(levels: Levels, bins: int) -> Values:
    """Symmetric pair counts at distance 1: ``(case, *space)`` to ``(case, direction, bins, bins)``.

    Level 0 is outside and pairs with nothing.
    """
    cases, dimensions = len(levels), levels.ndim - 1
    width = bins + 1
    case_place = np.arange(cases).reshape(-1, *(1,) * dimensions) * width**2
    first = levels * width + case_place
    counts = []
    for step in directions(dimensions):
        here, there = overlap(step)
        place = first[(slice(None), *here)] + levels[(slice(None), *there)]
        pairs = np.bincount(place.ravel(), minlength=cases * width**2)
        counts.append(pairs.reshape(cases, width, width)[:, 1:, 1:])
    found = np.stack(counts, axis=1)
    return np.asarray(found + found.swapaxes(-1, -2), dtype=np.float64)


@lru_cache(maxsize=8)
def _difference_and_sum(bins: int) -> Values:
    """``(bins * bins, 3 * bins - 1)``: sums a matrix over equal |i - j|, then over equal i + j."""
    i, j = np.indices((bins, bins)).reshape(2, -1)
    chosen = np.zeros((bins * bins, 3 * bins - 1))
    chosen[np.arange(bins * bins), np.abs(i - j)] = 1.0
    chosen[np.arange(bins * bins), bins + i + j] = 1.0
    return chosen


def _entropy(share: Values) -> Values:
    """Entropy in bits over the last axis."""
    return np.asarray(-(share * np.log2(np.where(share > 0, share, 1.0))).sum(-1))


def cooccurrence(levels: Levels, bins: int) -> Values:
    """``COOCCURRENCE`` of each image, averaged over directions: ``(case, feature)``.

    Directions without a pair are left out of the average; a mask without any pair gives zeros.
    Levels count from 1. The correlation of an image of one level is 1.

    Reference: IBSI 4.6 (distance 1, symmetric, "averaged over directions"); Zwanenburg et al. 2020,
    Radiology 295:328; Haralick et al. 1973. IBSI's sum average, sum variance and difference average
    are twice the joint average, the cluster tendency and the dissimilarity, and not repeated.
    """
    counts = cooccurrence_matrices(levels, bins)
    pairs = counts.sum((-1, -2), keepdims=True)
    share = counts / np.maximum(pairs, 1.0)
    flat = share.reshape(*share.shape[:2], -1)
    parts = flat @ _difference_and_sum(bins)
    difference, total = parts[..., :bins], parts[..., bins:]
    margin = share.sum(-1)
    level = np.arange(1, bins + 1, dtype=np.float64)
    step = np.arange(bins, dtype=np.float64)
    average = margin @ level
    variance = np.maximum(margin @ level**2 - average**2, 0.0)
    variance = np.where(variance < 1e-12 * average**2, 0.0, variance)
    dissimilarity, contrast = difference @ step, difference @ step**2
    autocorrelation = np.einsum("cdij,i,j->cd", share, level, level, optimize=True)
    deviation = np.arange(2, 2 * bins + 1) - 2 * average[..., None]
    tendency = total * deviation**2
    joint_entropy, margin_entropy = _entropy(flat), _entropy(margin)
    # for a symmetric matrix the two cross entropies of IBSI are both twice the marginal one
    excess = np.maximum(2 * margin_entropy - joint_entropy, 0.0)
    features = {
        "joint_maximum": flat.max(-1),
        "joint_average": average,
        "joint_variance": variance,
        "joint_entropy": joint_entropy,
        "dissimilarity": dissimilarity,
        "difference_variance": contrast - dissimilarity**2,
        "difference_entropy": _entropy(difference),
        "sum_entropy": _entropy(total),
        "angular_second_moment": np.einsum("cdp,cdp->cd", flat, flat),
        "contrast": contrast,
        "inverse_difference": difference @ (1 / (1 + step)),
        "normalised_inverse_difference": difference @ (1 / (1 + step / bins)),
        "inverse_difference_moment": difference @ (1 / (1 + step**2)),
        "normalised_inverse_difference_moment": difference @ (1 / (1 + (step / bins) ** 2)),
        "inverse_variance": difference[..., 1:] @ (1 / step[1:] ** 2),
        "correlation": np.where(
            variance > 0,
            (autocorrelation - average**2) / np.where(variance > 0, variance, 1.0),
            1.0,
        ),
        "autocorrelation": autocorrelation,
        "cluster_tendency": tendency.sum(-1),
        "cluster_shade": (tendency * deviation).sum(-1),
        "cluster_prominence": (tendency * deviation**2).sum(-1),
        "information_correlation_1": np.where(
            margin_entropy > 0, -excess / np.where(margin_entropy > 0, margin_entropy, 1.0), 0.0
        ),
        "information_correlation_2": np.sqrt(1 - np.exp(-2 * excess)),
    }
    assert tuple(features) == COOCCURRENCE
    stacked = np.stack(list(features.values()), axis=-1)
    present = pairs[..., 0] > 0
    return np.asarray((stacked * present).sum(1) / np.maximum(present.sum(1), 1))
