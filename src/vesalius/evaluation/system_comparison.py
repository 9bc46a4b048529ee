"""Several systems on the same cases: paired tests of every pair, ranks, and how stable they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from vesalius.core.rng import numpy_stream
from vesalius.evaluation.critical_difference import (
    CriticalDifference,
    cliques,
    critical_difference,
)
from vesalius.evaluation.measures import (
    CaseValues,
    Measure,
    WholeValues,
    finite_difference,
)
from vesalius.evaluation.ranking import RankStability, rank_stability, resampled_means
from vesalius.evaluation.statistics import (
    Summary,
    holm,
    paired_test,
    permutation_test,
    summarise,
)

ALPHA = 0.05


@dataclass(frozen=True)
class Pair:
    """``a`` against ``b``: how much better ``a`` is, in the metric's unit.

    ``gain`` is of means over cases (of whole values where there is one for all cases), with its
    95 % interval by bootstrap of patients. ``p_value`` is Wilcoxon's signed-rank test on patient
    means (for whole values, of the bootstrap), ``p_holm`` the same adjusted for all tests of the
    group; ``p_permutation`` is that of the mean under sign flips. ``effect`` is the rank-biserial
    correlation, 1 where ``a`` is better for every patient.
    """

    a: str
    b: str
    gain: float
    low: float
    high: float
    p_value: float
    p_holm: float
    p_permutation: float
    effect: float
    n_patients: int

    @property
    def apart(self) -> bool:
        """Whether the adjusted test tells the two apart."""
        return self.p_holm < ALPHA


@dataclass(frozen=True)
class MeasureFindings:
    """What one metric says of all systems.

    ``summaries`` (of a metric with a value a case) have median and quartiles; ``values`` have value
    and interval of every metric. ``critical`` needs a value a case. Ranks are on cases for which
    every system has a value: ``n_patients`` have such; each summary and pair has its own number.
    """

    measure: Measure
    values: Mapping[str, tuple[float, float, float]]
    summaries: Mapping[str, Summary]
    n_patients: int
    pairs: tuple[Pair, ...]
    ranks: RankStability
    critical: CriticalDifference | None
    floor: float | None = None

    def pair(self, a: str, b: str) -> Pair:
        """The test of two systems, as it was made: ``a`` may be either of them."""
        return next(pair for pair in self.pairs if {pair.a, pair.b} == {a, b})

    @property
    def leader(self) -> str | None:
        """The system with the best value; None where two have it or none is defined."""
        first = [name for name, rank in self.ranks.ranks.items() if rank == 1]
        return first[0] if len(first) == 1 else None

    @property
    def winner(self) -> str | None:
        """The leader, where adjusted tests tell it from every other system."""
        leader = self.leader
        if leader is None:
            return None
        others = (name for name in self.values if name != leader)
        return leader if all(self.pair(leader, other).apart for other in others) else None

    @property
    def together(self) -> tuple[tuple[str, ...], ...]:
        """Neighbours by mean rank that adjusted tests do not tell apart."""
        return cliques(self.order, lambda a, b: self.pair(a, b).apart)

    @property
    def mean_ranks(self) -> Mapping[str, float]:
        """Over patients where there is a value a case, else over resamples of patients."""
        return self.ranks.mean_ranks if self.critical is None else self.critical.mean_ranks

    @property
    def order(self) -> tuple[str, ...]:
        """Systems by mean rank."""
        return tuple(sorted(self.mean_ranks, key=lambda name: self.mean_ranks[name]))


@dataclass(frozen=True)
class Findings:
    """All that a comparison found; ``n_tests`` are the adjusted ones by group."""

    systems: tuple[str, ...]
    measures: tuple[MeasureFindings, ...]
    n_tests: Mapping[str, int] = field(default_factory=dict)

    def of(self, group: str) -> tuple[MeasureFindings, ...]:
        """Findings of one group."""
        return tuple(found for found in self.measures if found.measure.group == group)


def compare_systems(
    by_case: Sequence[CaseValues], whole: Sequence[WholeValues], seed: int, n_boot: int = 2000
) -> Findings:
    """Test every pair of systems on every metric; adjust by Holm over metrics and pairs of a group.

    All measures have the same systems.
    """
    raw = [_of_cases(one, seed, n_boot) for one in by_case]
    raw += [_of_whole(one) for one in whole]
    n_tests: dict[str, int] = {}
    found: list[MeasureFindings] = []
    adjusted: dict[int, list[float]] = {}
    for group in dict.fromkeys(one.measure.group for one in raw):
        places = [place for place, one in enumerate(raw) if one.measure.group == group]
        p_values = [pair.p_value for place in places for pair in raw[place].pairs]
        n_tests[group] = sum(not math.isnan(p) for p in p_values)
        moved = iter(holm(p_values).tolist())
        for place in places:
            adjusted[place] = [next(moved) for _ in raw[place].pairs]
    for place, one in enumerate(raw):
        pairs = tuple(
            replace(pair, p_holm=p) for pair, p in zip(one.pairs, adjusted[place], strict=True)
        )
        found.append(replace(one, pairs=pairs))
    systems = tuple(found[0].values) if found else ()
    return Findings(systems, tuple(found), n_tests)


def _of_cases(one: CaseValues, seed: int, n_boot: int) -> MeasureFindings:
    measure, names = one.measure, list(one.values)
    key = (measure.group, measure.metric)
    summaries = {
        # the same resamples for every system
        name: summarise(values, one.patients, numpy_stream(seed, "bootstrap", *key), n_boot)
        for name, values in one.values.items()
    }
    rng = numpy_stream(seed, "ranks", *key)
    means, resampled = resampled_means(one.values, one.patients, measure.direction, rng, n_boot)
    critical = critical_difference(one.values, one.patients, measure.direction)
    pairs = []
    for a, b in combinations(names, 2):
        test = paired_test(one.values[a], one.values[b], one.patients, measure.direction)
        finite = finite_difference(one.values[a], one.values[b])
        gain, low, high = _gain(one, a, b, seed, n_boot) if finite else (math.nan,) * 3
        flips = math.nan
        if finite:
            rng = numpy_stream(seed, "permutation", *key, a, b)
            flips = permutation_test(
                one.values[a], one.values[b], one.patients, measure.direction, rng
            )
        pairs.append(
            Pair(a, b, gain, low, high, test.p_value, math.nan, flips, test.effect, test.n_patients)
        )
    return MeasureFindings(
        measure=measure,
        values={name: (s.value, s.low, s.high) for name, s in summaries.items()},
        summaries=summaries,
        n_patients=critical.n_patients,
        pairs=tuple(pairs),
        ranks=rank_stability(means, resampled, measure.direction),
        critical=critical,
    )


def _gain(one: CaseValues, a: str, b: str, seed: int, n_boot: int) -> tuple[float, float, float]:
    """Mean gain of ``a`` over ``b`` over cases, and its interval."""
    measure = one.measure
    values_a, values_b = one.values[a], one.values[b]
    if measure.direction == "zero":
        values_a, values_b = np.abs(values_a), np.abs(values_b)
    moved = values_a != values_b  # two infinities are no difference
    gains = np.zeros(len(values_a))
    gains[moved] = values_a[moved] - values_b[moved]
    rng = numpy_stream(seed, "pairs", measure.group, measure.metric)
    found = summarise(gains if measure.direction == "up" else -gains, one.patients, rng, n_boot)
    return found.value, found.low, found.high


def _of_whole(one: WholeValues) -> MeasureFindings:
    measure, found = one.measure, one.found
    sign = 1.0 if measure.direction == "up" else -1.0
    pairs = []
    for a, b in combinations(found.intervals, 2):
        moved = found.difference(a, b)
        low, high = (sign * moved.low, sign * moved.high)[:: int(sign)]
        pairs.append(
            Pair(a, b, sign * moved.value, low, high, moved.p_value, math.nan, math.nan, math.nan,
                 one.n_patients)
        )  # fmt: skip
    observed = {name: interval.value for name, interval in found.intervals.items()}
    # repeated cases move every value: ranks are of values that are moved back, as intervals are
    resampled = {
        name: draws - interval.bias if math.isfinite(interval.bias) else draws
        for (name, interval), draws in zip(
            found.intervals.items(), found.resampled.values(), strict=True
        )
    }
    return MeasureFindings(
        measure=measure,
        values={name: (i.value, i.low, i.high) for name, i in found.intervals.items()},
        summaries={},
        n_patients=one.n_patients,
        pairs=tuple(pairs),
        ranks=rank_stability(observed, resampled, measure.direction),
        critical=None,
        floor=one.floor,
    )
