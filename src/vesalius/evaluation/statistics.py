"""How sure a number is: intervals and tests in which the patient is the unit.

Cases of one patient (slices, visits, draws) are not independent, so intervals resample patients and
tests compare patient means. NaN marks a case for which a metric is not defined: such cases are
dropped and counted. Nothing here keeps a random state: pass a generator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vesalius.core.errors import InputError
from vesalius.core.record import Direction

Values = NDArray[np.float64]
LOW, HIGH = 2.5, 97.5
#: Resamples, or sign flips, drawn at once.
AT_ONCE = 500


@dataclass(frozen=True)
class Summary:
    """Per-case values in short.

    ``value`` is their mean over cases; ``median``, ``q25`` and ``q75`` are over cases, too; ``low``
    and ``high`` bound the 95 % interval of ``value``, NaN for fewer than two patients.
    ``n_dropped`` cases were NaN.
    """

    value: float
    median: float
    q25: float
    q75: float
    low: float
    high: float
    n_patients: int
    n_cases: int
    n_dropped: int


@dataclass(frozen=True)
class PairedTest:
    """Two methods on the same patients.

    ``median_difference``: the median over patients of a - b, in the metric's unit (for direction
    "zero", of |a| - |b|). ``effect``: matched-pairs rank-biserial correlation, 1 where a is better
    for every patient, -1 where b is. ``p_value``: two-sided. ``n_dropped`` cases were NaN in a or
    b.
    """

    p_value: float
    median_difference: float
    effect: float
    n_patients: int
    n_dropped: int


@dataclass(frozen=True)
class Interval:
    """A value of a whole set and its 95 % interval.

    ``bias`` is what resampling added to the value on average and was taken off the bounds;
    ``n_dropped`` resamples had no value.
    """

    value: float
    low: float
    high: float
    bias: float
    n_boot: int
    n_dropped: int


def summarise(
    values: ArrayLike,
    patients: Sequence[str],
    rng: np.random.Generator,
    n_boot: int = 2000,
) -> Summary:
    """Mean, quartiles and a 95 % interval of per-case ``values``.

    The interval is the percentile bootstrap of the mean, resampling patients with all their cases.
    NaN cases are dropped and counted; infinite ones (PSNR of a perfect image) are kept and make the
    mean infinite. Raises InputError where there is not one patient for each value.

    Reference: Field & Welsh, J R Stat Soc B 69:369, 2007 (cluster bootstrap).
    """
    cases, names = _checked(values, patients)
    kept = ~np.isnan(cases)
    cases, names = cases[kept], names[kept]
    n_dropped = int((~kept).sum())
    sums, counts = _by_patient(cases, names)
    if not len(cases):
        nan = math.nan
        return Summary(nan, nan, nan, nan, nan, nan, 0, 0, n_dropped)
    q25, median, q75 = _percentiles(cases, (25, 50, 75))
    low = high = math.nan
    if len(sums) > 1:
        means = np.empty(n_boot)
        for first in range(0, n_boot, AT_ONCE):
            taken = rng.integers(len(sums), size=(min(AT_ONCE, n_boot - first), len(sums)))
            means[first : first + len(taken)] = sums[taken].sum(axis=1) / counts[taken].sum(axis=1)
        low, high = _percentiles(means, (LOW, HIGH))
    value = float(sums.sum() / counts.sum())
    return Summary(value, median, q25, q75, low, high, len(sums), len(cases), n_dropped)


def paired_test(
    values_a: ArrayLike, values_b: ArrayLike, patients: Sequence[str], direction: Direction
) -> PairedTest:
    """Wilcoxon signed-rank test of method a against method b on patient means.

    The null distribution is exact up to 50 patients (with ties or zeros, up to 13) and normal with
    continuity left out above. Patients without a difference do not count (Wilcoxon's own rule); if
    none differs, p is 1. A case that is NaN for either method is dropped from both.

    Reference: Wilcoxon, Biometrics Bull 1:80, 1945; Kerby, Compr Psychol 3, 2014 (effect size).
    """
    differences, n_dropped = _patient_differences(values_a, values_b, patients, direction)
    if not len(differences):
        return PairedTest(math.nan, math.nan, math.nan, 0, n_dropped)
    from scipy.stats import rankdata, wilcoxon

    median = _percentiles(differences, (50,))[0]
    better = differences if direction == "up" else -differences
    moved = better[better != 0]
    if not len(moved):
        return PairedTest(1.0, median, 0.0, len(differences), n_dropped)
    ranks = rankdata(np.abs(moved))
    effect = float(ranks[moved > 0].sum() - ranks[moved < 0].sum()) / float(ranks.sum())
    # the test sees ranks only, and signed ranks are finite where differences are infinite
    p_value = float(wilcoxon(np.sign(moved) * ranks, method="auto").pvalue)
    return PairedTest(p_value, median, effect, len(differences), n_dropped)


def permutation_test(
    values_a: ArrayLike,
    values_b: ArrayLike,
    patients: Sequence[str],
    direction: Direction,
    rng: np.random.Generator,
    n_permutations: int = 10_000,
) -> float:
    """Two-sided p-value of the mean difference of patient means under random sign flips.

    All flips are counted where there are at most ``n_permutations`` of them; otherwise so many are
    drawn and the observed one counts as one more, so that p is never zero. NaN cases are dropped;
    infinite differences raise InputError. NaN for no patient.

    Reference: Fisher, The Design of Experiments, 1935; Phipson & Smyth, SAGMB 9:39, 2010.
    """
    differences, _ = _patient_differences(values_a, values_b, patients, direction)
    n = len(differences)
    if not n:
        return math.nan
    if not np.isfinite(differences).all():
        raise InputError(
            "finite differences", came="infinity", remedy="use paired_test, which ranks them"
        )
    observed = abs(differences.sum())
    # flips that give the same sum must count as equal although they round differently
    reached = observed - 1e-12 * np.abs(differences).sum()
    if n < 63 and 2**n <= n_permutations:
        codes = np.arange(2**n)[:, None] >> np.arange(n) & 1
        sums = np.abs((1 - 2 * codes) @ differences)
        return float((sums >= reached).mean())
    hits = 0
    for first in range(0, n_permutations, AT_ONCE):
        signs = 1 - 2 * rng.integers(2, size=(min(AT_ONCE, n_permutations - first), n))
        hits += int((np.abs(signs @ differences) >= reached).sum())
    return (hits + 1) / (n_permutations + 1)


def patient_gains(
    values_a: ArrayLike, values_b: ArrayLike, patients: Sequence[str], direction: Direction
) -> tuple[Values, int]:
    """How much better a is than b for each patient, in the metric's unit, and dropped cases.

    Means over the patient's cases; of direction "zero", how much closer to zero. Cases that are NaN
    for either are dropped.
    """
    differences, n_dropped = _patient_differences(values_a, values_b, patients, direction)
    return differences if direction == "up" else -differences, n_dropped


def holm(p_values: ArrayLike) -> Values:
    """P-values adjusted for their number by Holm's step-down rule, in the order given.

    NaN stays NaN and does not count as a test.

    Reference: Holm, Scand J Stat 6:65, 1979.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(given))
    if given.ndim != 1 or ((given[known] < 0) | (given[known] > 1)).any():
        raise InputError("a list of p-values between 0 and 1")
    adjusted = np.full_like(given, math.nan)
    order = known[np.argsort(given[known], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def percentile_interval(value: float, resampled: Values) -> Interval:
    """Plain percentiles of ``resampled`` values; those that are NaN are dropped and counted."""
    known = resampled[~np.isnan(resampled)]
    low, high = _percentiles(known, (LOW, HIGH)) if len(known) else (math.nan, math.nan)
    return Interval(value, low, high, 0.0, len(resampled), len(resampled) - len(known))


def owners(patients: Sequence[str], rows: int) -> tuple[NDArray[np.int64], int]:
    """The number of each row's patient, by sorted names, and how many patients there are.

    Raises InputError where there is not one patient for each row.
    """
    if len(patients) != rows:
        raise InputError(f"one patient for each of {rows} rows", came=len(patients))
    known, owner = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    return owner, len(known)


def resampled_counts(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each of ``n`` patients is in a resample of ``n``."""
    return np.bincount(rng.integers(n, size=n), minlength=n)


def centred(
    value: float,
    resampled: Sequence[float],
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """Percentiles of ``resampled`` values less their mean shift, kept inside ``bounds``."""
    known = np.asarray([one for one in resampled if not math.isnan(one)])
    n_dropped = len(resampled) - len(known)
    if not len(known):
        return Interval(value, math.nan, math.nan, math.nan, len(resampled), n_dropped)
    bias = float(known.mean()) - value
    least, most = bounds
    low, high = (min(max(bound - bias, least), most) for bound in _percentiles(known, (LOW, HIGH)))
    return Interval(value, low, high, bias, len(resampled), n_dropped)


def _checked(values: ArrayLike, patients: Sequence[str]) -> tuple[Values, NDArray[np.str_]]:
    cases = np.asarray(values, dtype=np.float64)
    if cases.ndim != 1 or len(cases) != len(patients):
        raise InputError(
            "one value and one patient for each case",
            came=f"values of shape {cases.shape} and {len(patients)} patients",
        )
    return cases, np.asarray(patients, dtype=str)


def _by_patient(cases: Values, names: NDArray[np.str_]) -> tuple[Values, Values]:
    """Sum and number of cases of each patient, in the order of their names."""
    known, place = np.unique(names, return_inverse=True)
    sums, counts = np.zeros(len(known)), np.zeros(len(known))
    np.add.at(sums, place, cases)
    np.add.at(counts, place, 1)
    return sums, counts


def _patient_differences(
    values_a: ArrayLike, values_b: ArrayLike, patients: Sequence[str], direction: Direction
) -> tuple[Values, int]:
    """Patient means of a - b (of |a| - |b| for "zero"), and the number of dropped cases."""
    a, names = _checked(values_a, patients)
    b, _ = _checked(values_b, patients)
    if direction == "zero":
        a, b = np.abs(a), np.abs(b)
    kept = ~(np.isnan(a) | np.isnan(b))
    sums_a, counts = _by_patient(a[kept], names[kept])
    sums_b, _ = _by_patient(b[kept], names[kept])
    same = sums_a == sums_b  # two infinities are no difference
    differences = np.zeros(len(counts))
    differences[~same] = (sums_a[~same] - sums_b[~same]) / counts[~same]
    return differences, int((~kept).sum())


def _percentiles(values: Values, wanted: tuple[float, ...]) -> tuple[float, ...]:
    # between an infinity and its neighbour there is nothing to interpolate
    if np.isfinite(values).all():
        return tuple(np.percentile(values, wanted).tolist())
    return tuple(np.percentile(values, wanted, method="inverted_cdf").tolist())
