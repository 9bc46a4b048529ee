"""First-order radiomic features: the distribution of intensities, without their places."""

from __future__ import annotations

import numpy as np

from vesalius.metrics.feature.grey_levels import Inside, Levels, Values

FIRST_ORDER = (
    "mean", "variance", "skewness", "kurtosis", "median", "minimum", "percentile_10",
    "percentile_90", "maximum", "interquartile_range", "range", "mean_absolute_deviation",
    "robust_mean_absolute_deviation", "median_absolute_deviation", "energy", "root_mean_square",
    "entropy", "uniformity",
)  # fmt: skip


def first_order(values: Values, inside: Inside, levels: Levels, bins: int) -> Values:
    """``FIRST_ORDER`` of each image.

    Parameters
    ----------
    values, inside, levels:
        ``(case, *space)``; every case has at least one voxel inside.
    bins:
        Number of grey levels; entropy (bits) and uniformity are those of the level histogram.

    Returns
    -------
    ``(case, feature)`` in the unit of ``values`` (its powers for variance and energy). Kurtosis is
    in excess of the normal one. A constant image has skewness and kurtosis 0.

    Reference: IBSI 4.1 and 4.3; Zwanenburg et al. 2020, Radiology 295:328. Percentiles are linear
    between order statistics.
    """
    cases = len(values)
    inside = inside.reshape(cases, -1)
    number = inside.sum(1)
    ordered = np.sort(np.where(inside, values.reshape(cases, -1), np.inf), axis=1)
    valid = np.arange(ordered.shape[1]) < number[:, None]
    ordered[~valid] = 0.0

    def percentile(fraction: float) -> Values:
        place = fraction * (number - 1)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, number - 1)
        pair = np.take_along_axis(ordered, np.stack([below, above], 1), axis=1)
        weight = place - below
        return np.asarray(pair[:, 0] * (1 - weight) + pair[:, 1] * weight)

    def mean_of(terms: Values, chosen: Inside) -> Values:
        count = np.maximum(chosen.sum(1), 1)
        return np.asarray(np.einsum("cv,cv->c", terms, chosen.astype(np.float64)) / count)

    p10, p25, median, p75, p90 = (percentile(f) for f in (0.1, 0.25, 0.5, 0.75, 0.9))
    mean = mean_of(ordered, valid)
    centred = ordered - mean[:, None]
    squared = centred * centred
    variance = mean_of(squared, valid)
    # rounding leaves a constant image a variance of about (eps * mean)^2
    flat = variance <= (1e-12 * np.abs(mean)) ** 2
    spread = np.where(flat, 1.0, variance)
    energy = mean_of(ordered * ordered, valid) * number
    robust = valid & (ordered >= p10[:, None]) & (ordered <= p90[:, None])
    robust_mean = mean_of(ordered, robust)
    place = np.arange(cases)[:, None] * (bins + 1) + levels.reshape(cases, -1)
    histogram = np.bincount(place.ravel(), minlength=cases * (bins + 1)).reshape(cases, -1)[:, 1:]
    share = histogram / number[:, None]
    features = {
        "mean": mean,
        "variance": variance,
        "skewness": np.where(flat, 0.0, mean_of(squared * centred, valid) / spread**1.5),
        "kurtosis": np.where(flat, 0.0, mean_of(squared * squared, valid) / spread**2 - 3.0),
        "median": median,
        "minimum": ordered[:, 0],
        "percentile_10": p10,
        "percentile_90": p90,
        "maximum": percentile(1.0),
        "interquartile_range": p75 - p25,
        "range": percentile(1.0) - ordered[:, 0],
        "mean_absolute_deviation": mean_of(np.abs(centred), valid),
        "robust_mean_absolute_deviation": mean_of(np.abs(ordered - robust_mean[:, None]), robust),
        "median_absolute_deviation": mean_of(np.abs(ordered - median[:, None]), valid),
        "energy": energy,
        "root_mean_square": np.sqrt(energy / number),
        "entropy": -(share * np.log2(np.where(share > 0, share, 1.0))).sum(1),
        "uniformity": (share * share).sum(1),
    }
    assert tuple(features) == FIRST_ORDER
    return np.stack(list(features.values()), axis=1)
