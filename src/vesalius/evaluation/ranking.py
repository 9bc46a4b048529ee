"""Who comes first, and how often another set of patients would have said so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vesalius.core.errors import InputError
from vesalius.core.record import Direction
from vesalius.evaluation.statistics import AT_ONCE

Values = NDArray[np.float64]


@dataclass(frozen=True)
class RankStability:
    """Ranks of systems over resamples of patients; rank 1 is best, ties share the better rank.

    ``ranks`` are those on all patients. ``shares[system][r - 1]`` is how often the system had rank
    r. ``mean_ranks`` are means over resamples, ties taken in the middle. ``tau``: mean of Kendall's
    tau-b between a resample's ranking and that on all patients, ``tau_low`` its 5th percentile; NaN
    where all systems are equal.
    """

    ranks: Mapping[str, int]
    mean_ranks: Mapping[str, float]
    shares: Mapping[str, tuple[float, ...]]
    tau: float
    tau_low: float
    n_resamples: int

    @property
    def order(self) -> tuple[str, ...]:
        """Systems from the best to the worst on all patients, then by mean rank."""
        return tuple(sorted(self.ranks, key=lambda name: (self.ranks[name], self.mean_ranks[name])))


def rank_stability(
    observed: Mapping[str, float], resampled: Mapping[str, ArrayLike], direction: Direction
) -> RankStability:
    """Ranks of ``observed`` values and of each of the ``resampled`` ones.

    All systems were resampled alike: value i of every system is of the same patients. Resamples in
    which any system is NaN are left out.

    Reference: Wiesenfarth et al., Sci Rep 11:2369, 2021.
    """
    names = list(observed)
    if len(names) < 2:
        raise InputError("at least two systems to rank", came=len(names))
    table = np.stack([np.asarray(resampled[name], dtype=np.float64) for name in names], axis=1)
    table = table[~np.isnan(table).any(axis=1)]
    whole = _losses(np.array([[observed[name] for name in names]]), direction)
    losses = _losses(table, direction)
    n, k = losses.shape
    best, middle = _ranks(losses)
    shares = [[float((best[:, s] == r + 1).mean()) if n else math.nan for r in range(k)]
              for s in range(k)]  # fmt: skip
    tau = _tau(losses, whole[0]) if n else np.array([math.nan])
    # a resample in which all are equal orders nobody
    known = tau[~np.isnan(tau)]
    return RankStability(
        ranks=dict(zip(names, _ranks(whole)[0][0].tolist(), strict=True)),
        mean_ranks={
            name: float(middle[:, s].mean()) if n else math.nan for s, name in enumerate(names)
        },
        shares={name: tuple(shares[s]) for s, name in enumerate(names)},
        tau=float(known.mean()) if len(known) else math.nan,
        tau_low=float(np.percentile(known, 5)) if len(known) else math.nan,
        n_resamples=n,
    )


def resampled_means(
    values: Mapping[str, ArrayLike],
    patients: Sequence[str],
    direction: Direction,
    rng: np.random.Generator,
    n_boot: int = 2000,
) -> tuple[dict[str, float], dict[str, Values]]:
    """Each system's mean over cases, and its means when patients are resampled with their cases.

    All systems are resampled alike. For direction "zero" means are of absolute values. Cases that
    are NaN for any system are left out for all.
    """
    names = list(values)
    table = np.stack([np.asarray(values[name], dtype=np.float64) for name in names], axis=1)
    if len(table) != len(patients):
        raise InputError("one patient for each case", came=f"{len(patients)} for {len(table)}")
    if direction == "zero":
        table = np.abs(table)
    kept = ~np.isnan(table).any(axis=1)
    table, owners = table[kept], np.asarray(patients, dtype=str)[kept]
    known, place = np.unique(owners, return_inverse=True)
    sums, counts = np.zeros((len(known), len(names))), np.zeros(len(known))
    np.add.at(sums, place, table)
    np.add.at(counts, place, 1)
    if not len(known):
        return dict.fromkeys(names, math.nan), {name: np.empty(0) for name in names}
    found = np.empty((n_boot, len(names)))
    for first in range(0, n_boot, AT_ONCE):
        taken = rng.integers(len(known), size=(min(AT_ONCE, n_boot - first), len(known)))
        means = sums[taken].sum(axis=1) / counts[taken].sum(axis=1)[:, None]
        found[first : first + len(taken)] = means
    mean = sums.sum(axis=0) / counts.sum()
    return (
        dict(zip(names, mean.tolist(), strict=True)),
        {name: found[:, s] for s, name in enumerate(names)},
    )


def _losses(table: Values, direction: Direction) -> Values:
    """The same values, the lowest being best; what is not defined comes last."""
    losses = np.abs(table) if direction == "zero" else -table if direction == "up" else table
    return np.where(np.isnan(losses), np.inf, losses)


def _ranks(losses: Values) -> tuple[NDArray[np.int64], Values]:
    """Ranks along each row: ties with the better rank, and ties in the middle."""
    below = (losses[:, None, :] < losses[:, :, None]).sum(axis=2)
    equal = (losses[:, None, :] == losses[:, :, None]).sum(axis=2)
    return below + 1, below + (equal + 1) / 2


def _tau(losses: Values, whole: Values) -> Values:
    """Kendall's tau-b of each row with ``whole``."""
    first, second = np.triu_indices(len(whole), 1)
    signs = np.sign(_difference(losses[:, first], losses[:, second]))
    target = np.sign(_difference(whole[first], whole[second]))
    size = np.sqrt((signs**2).sum(axis=1) * (target**2).sum())
    agreement: Values = signs @ target
    tau = np.full(len(losses), math.nan)
    tau[size > 0] = agreement[size > 0] / size[size > 0]
    return tau


def _difference(one: Values, other: Values) -> Values:
    """``one - other``, where two infinities are equal."""
    same = one == other
    return np.where(same, 0.0, np.subtract(one, other, where=~same, out=np.zeros_like(one)))
