"""Non-inferiority: that a system loses no more than a stated margin, by resampling patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vesalius.core.errors import InputError
from vesalius.core.record import Direction
from vesalius.evaluation.statistics import AT_ONCE, patient_gains

#: One-sided, as the lower half of a 95 % interval.
ALPHA = 0.025


@dataclass(frozen=True)
class NonInferiority:
    """How much a system gains over another on the same patients, and the least it may gain.

    ``gain``: mean over patients, in the metric's unit, positive where the system is better.
    ``bound``: its one-sided 97.5 % lower bound. ``p_value``: of a gain of ``-margin`` or less.
    ``n_dropped`` cases were NaN for either.
    """

    gain: float
    bound: float
    margin: float
    p_value: float
    n_patients: int
    n_dropped: int

    @property
    def shown(self) -> bool:
        """Whether one test alone shows that no more than the margin is lost."""
        return self.p_value <= ALPHA


def non_inferiority(
    values: ArrayLike,
    reference: ArrayLike,
    patients: Sequence[str],
    direction: Direction,
    margin: float,
    rng: np.random.Generator,
    n_boot: int = 10_000,
) -> NonInferiority:
    """Test ``values`` of a system against those of a ``reference`` on the same cases.

    Patient means are resampled; the percentiles are widened for small samples, so that bound and
    p-value say the same. NaN for fewer than two patients. Raises InputError for a margin that is
    not positive and for infinite differences.

    References: Piaggio et al., JAMA 308:2594, 2012 (non-inferiority); Hesterberg, Am Stat 69:371,
    2015 (widened percentiles).
    """
    if not (math.isfinite(margin) and margin > 0):
        raise InputError("a positive margin in the metric's unit", came=margin)
    gains, n_dropped = patient_gains(values, reference, patients, direction)
    if not np.isfinite(gains).all():
        raise InputError(
            "finite differences", came="infinity", remedy="test a metric that is always finite"
        )
    n = len(gains)
    gain = float(gains.mean()) if n else math.nan
    if n < 2:
        return NonInferiority(gain, math.nan, margin, math.nan, n, n_dropped)
    from scipy.stats import norm, t

    means = _resampled_means(gains, rng, n_boot)
    widened = float(norm.cdf(math.sqrt(n / (n - 1)) * t.ppf(ALPHA, n - 1)))
    bound = float(np.quantile(means, widened))
    # sums of equal numbers in another order may differ in their last digit
    hits = int((means <= -margin + 1e-12 * np.abs(gains).max()).sum())
    share = norm.ppf((hits + 1) / (n_boot + 2))
    p_value = float(t.cdf(share * math.sqrt((n - 1) / n), n - 1))
    return NonInferiority(gain, bound, margin, p_value, n, n_dropped)


def _resampled_means(
    gains: NDArray[np.float64], rng: np.random.Generator, n_boot: int
) -> NDArray[np.float64]:
    found = []
    for first in range(0, n_boot, AT_ONCE):
        taken = rng.integers(len(gains), size=(min(AT_ONCE, n_boot - first), len(gains)))
        found.append(gains[taken].mean(axis=1))
    return np.concatenate(found)
