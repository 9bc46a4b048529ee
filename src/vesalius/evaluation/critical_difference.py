"""Mean ranks over patients, and how far apart they must lie (Friedman, Nemenyi)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vesalius.core.errors import InputError
from vesalius.core.record import Direction


@dataclass(frozen=True)
class CriticalDifference:
    """Mean ranks of systems over patients; 1 is best.

    ``statistic`` and ``p_value`` are Friedman's, NaN for two systems or one patient. Mean ranks
    that lie ``distance`` or farther apart differ by Nemenyi's test at ``alpha``.
    """

    mean_ranks: Mapping[str, float]
    statistic: float
    p_value: float
    distance: float
    alpha: float
    n_patients: int

    @property
    def order(self) -> tuple[str, ...]:
        """Systems from the best mean rank to the worst."""
        return tuple(sorted(self.mean_ranks, key=lambda name: self.mean_ranks[name]))

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Systems that Nemenyi's test does not tell apart."""
        return cliques(
            self.order,
            lambda a, b: abs(self.mean_ranks[a] - self.mean_ranks[b]) >= self.distance,
        )


def critical_difference(
    values: Mapping[str, ArrayLike],
    patients: Sequence[str],
    direction: Direction,
    alpha: float = 0.05,
) -> CriticalDifference:
    """Rank the patient means of every system within each patient.

    Cases that are NaN for any system are left out for all; direction "zero" ranks absolute values.
    Raises InputError for fewer than two systems.

    References: Friedman, J Am Stat Assoc 32:675, 1937; Demsar, J Mach Learn Res 7:1, 2006.
    """
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    names = list(values)
    k = len(names)
    if k < 2:
        raise InputError("at least two systems to rank", came=k)
    means = patient_means(values, patients, direction)
    n = len(means)
    ranks = rankdata(-means if direction == "up" else means, axis=1)
    statistic = p_value = distance = math.nan
    if n > 1 and k > 2:
        if (ranks == ranks[:, :1]).all():  # nobody is better anywhere
            statistic, p_value = 0.0, 1.0
        else:
            # ranks stand for the values: infinities have no place in scipy's test
            found = friedmanchisquare(*ranks.T)
            statistic, p_value = float(found.statistic), float(found.pvalue)
    if n > 1:
        q = float(studentized_range.ppf(1 - alpha, k, np.inf)) / math.sqrt(2)
        distance = q * math.sqrt(k * (k + 1) / (6 * n))
    mean_ranks = ranks.mean(axis=0) if n else np.full(k, math.nan)
    return CriticalDifference(
        dict(zip(names, mean_ranks.tolist(), strict=True)), statistic, p_value, distance, alpha, n
    )


def patient_means(
    values: Mapping[str, ArrayLike], patients: Sequence[str], direction: Direction
) -> np.ndarray:
    """Means of each patient's cases ``(patient, system)``, over cases that no system lacks."""
    table = np.stack([np.asarray(v, dtype=np.float64) for v in values.values()], axis=1)
    if len(table) != len(patients):
        raise InputError("one patient for each case", came=f"{len(patients)} for {len(table)}")
    if direction == "zero":
        table = np.abs(table)
    kept = ~np.isnan(table).any(axis=1)
    known, place = np.unique(np.asarray(patients, dtype=str)[kept], return_inverse=True)
    sums = np.zeros((len(known), table.shape[1]))
    np.add.at(sums, place, table[kept])
    counts = np.bincount(place, minlength=len(known))
    return np.asarray(sums / counts[:, None])


def cliques(order: Sequence[str], apart: Callable[[str, str], bool]) -> tuple[tuple[str, ...], ...]:
    """The longest runs of neighbours in ``order`` of whom no two are ``apart``; two or more each.

    >>> cliques("abcd", lambda a, b: {a, b} in ({"a", "c"}, {"a", "d"}))
    (('a', 'b'), ('b', 'c', 'd'))
    """
    found: list[tuple[str, ...]] = []
    reach = 0
    for first in range(len(order)):
        last = first + 1
        while last < len(order) and not any(
            apart(order[one], order[last]) for one in range(first, last)
        ):
            last += 1
        if last - first > 1 and last > reach:
            found.append(tuple(order[first:last]))
            reach = last
    return tuple(found)
