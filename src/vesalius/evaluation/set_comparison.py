"""Sets of drawn images against real ones and against each other, by resampling patients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.evaluation.statistics import Interval, centred, owners, resampled_counts
from vesalius.metrics.metric import SetMetric


@dataclass(frozen=True)
class SetDifference:
    """One set's value less another's, its 95 % interval and the two-sided p-value of no difference.

    Both were resampled together, so what the resamples share cancels. p is that of a normal
    difference with the resamples' standard deviation; NaN where they do not vary but differ.
    """

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class SetComparison:
    """A metric of several sets, or tables: value and interval by name, and resampled values."""

    intervals: Mapping[str, Interval]
    resampled: Mapping[str, NDArray[np.float64]]

    def difference(self, name: str, other: str) -> SetDifference:
        """``name`` less ``other``.

        Reference: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, sections 12 and 15.
        """
        value = self.intervals[name].value - self.intervals[other].value
        moved = self.resampled[name] - self.resampled[other]
        moved = moved[~np.isnan(moved)]
        if len(moved) < 2 or math.isnan(value):
            return SetDifference(value, math.nan, math.nan, math.nan)
        interval = centred(value, moved.tolist())
        error = float(moved.std(ddof=1))
        if error == 0:
            p_value = 1.0 if value == 0 else math.nan
        else:
            p_value = math.erfc(abs(value) / error / math.sqrt(2))
        return SetDifference(value, interval.low, interval.high, p_value)


def compared_sets(
    metric: SetMetric,
    generated: Mapping[str, Tensor],
    real: Tensor,
    patients_generated: Sequence[str],
    patients_real: Sequence[str],
    rng: np.random.Generator,
    n_boot: int = 200,
) -> SetComparison:
    """The metric of every generated set ``(n, feature)`` against the real one ``(m, feature)``.

    All generated sets have the patients ``patients_generated``, one a row, and are resampled alike;
    together with the real set where that has the same patients, else independently of it. Intervals
    are percentiles less the mean shift that repeated cases bring, inside the metric's bounds; NaN
    for fewer than two patients in a set.
    """
    values = {name: metric.value(features, real) for name, features in generated.items()}
    ours, n_ours = owners(patients_generated, len(next(iter(generated.values()))))
    theirs, n_theirs = owners(patients_real, len(real))
    if min(n_ours, n_theirs) < 2:
        none = {name: Interval(v, math.nan, math.nan, math.nan, 0, 0) for name, v in values.items()}
        return SetComparison(none, {name: np.empty(0) for name in values})
    together = set(patients_generated) == set(patients_real)
    counted = {name: metric.counted(features, real) for name, features in generated.items()}
    found: dict[str, list[float]] = {name: [] for name in generated}
    for _ in range(n_boot):
        taken = resampled_counts(n_ours, rng)
        other = taken if together else resampled_counts(n_theirs, rng)
        of_generated, of_real = torch.from_numpy(taken[ours]), torch.from_numpy(other[theirs])
        for name, value in counted.items():
            found[name].append(value(of_generated, of_real))
    intervals = {name: centred(values[name], found[name], metric.bounds) for name in found}
    return SetComparison(intervals, {name: np.asarray(v) for name, v in found.items()})
