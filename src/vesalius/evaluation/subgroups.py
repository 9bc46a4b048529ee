"""Who is served worse: a metric by site, sex, age band or lesion size, and whether it is chance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vesalius.core.errors import InputError
from vesalius.core.record import Direction
from vesalius.evaluation.statistics import Summary, summarise

#: Patients below which a group is shown and not named as the worst.
FEWEST = 2
#: Exchanges drawn at once.
AT_ONCE = 200

Values = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class SubgroupTable:
    """A metric in each group of one column.

    ``groups``: name and summary. ``worst`` is the group that is farthest behind all other cases,
    None where fewer than two groups have two patients; ``gap`` is how far, in the metric's unit;
    ``p_value`` is of a gap as surprising in any group, if groups did not matter. ``n_missing``
    cases have no group.
    """

    column: str
    groups: tuple[tuple[str, Summary], ...]
    worst: str | None
    gap: float
    p_value: float
    n_missing: int


def subgroup_table(
    column: str,
    values: ArrayLike,
    patients: Sequence[str],
    labels: Sequence[str | None],
    direction: Direction,
    rng: np.random.Generator,
    *,
    order: Sequence[str] = (),
    n_permutations: int = 2000,
) -> SubgroupTable:
    """Summarise ``values`` by ``labels``, one a case, None for unknown; ``order`` names come first.

    Labels are exchanged between patients who are in as many groups, and within a patient who is in
    several (lesions of two sizes); the largest standardised gap of all groups is compared, so that
    naming the worst one costs no error. Direction "zero" is of absolute values. Raises InputError
    for infinite values and lengths that differ.

    References: Westfall & Young, Resampling-Based Multiple Testing, 1993 (largest statistic);
    Phipson & Smyth, SAGMB 9:39, 2010 (permutation p-values).
    """
    cases = np.asarray(values, dtype=np.float64)
    if not len(cases) == len(patients) == len(labels):
        raise InputError(
            "one value, patient and group for each case",
            came=f"{len(cases)}, {len(patients)} and {len(labels)}",
            case=column,
        )
    if np.isinf(cases).any():
        raise InputError("finite values", came="infinity", case=column)
    if direction == "zero":
        cases = np.abs(cases)
    known = np.array([label is not None for label in labels], dtype=bool)
    found = {label for label in labels if label is not None}
    names = [name for name in order if name in found]
    names += sorted(found - set(names))
    of_case = np.array([names.index(label) if label is not None else -1 for label in labels])
    owners = np.asarray(patients, dtype=str)
    groups = tuple(
        (name, summarise(cases[of_case == g], owners[of_case == g].tolist(), rng))
        for g, name in enumerate(names)
    )
    kept = known & ~np.isnan(cases)
    losses = -cases if direction == "up" else cases
    cells = _Cells.of(losses[kept], owners[kept], of_case[kept], len(names))
    worst, gap, p_value = cells.test(rng, n_permutations)
    return SubgroupTable(
        column=column,
        groups=groups,
        worst=None if worst is None else names[worst],
        gap=gap,
        p_value=p_value,
        n_missing=int((~known).sum()),
    )


def thirds(numbers: Sequence[float]) -> tuple[float, ...]:
    """Edges that part ``numbers`` into three bands, fewer where many are equal."""
    found = np.quantile(numbers, (1 / 3, 2 / 3))
    # bands are printed, so their edges are numbers that can be printed
    return tuple(dict.fromkeys(float(f"{x:.3g}") for x in found if x > min(numbers)))


def bands(edges: Sequence[float]) -> tuple[str, ...]:
    """Names of the bands between ``edges``; InputError unless they rise.

    >>> bands((40, 65))
    ('under 40', '40 to under 65', '65 and over')
    """
    if any(b <= a for a, b in itertools.pairwise(edges)):
        raise InputError("edges that rise", came=", ".join(f"{x:g}" for x in edges))
    if not edges:
        return ("all",)
    between = (f"{a:g} to under {b:g}" for a, b in itertools.pairwise(edges))
    return (f"under {edges[0]:g}", *between, f"{edges[-1]:g} and over")


def banded(numbers: Sequence[float | None], edges: Sequence[float]) -> list[str | None]:
    """The band of each number, lower edge included; None and NaN have none.

    >>> banded([40.0, 39.9, None], (40, 65))
    ['40 to under 65', 'under 40', None]
    """
    names = bands(edges)
    return [
        None if x is None or math.isnan(x) else names[int(np.searchsorted(edges, x, side="right"))]
        for x in numbers
    ]


@dataclass(frozen=True)
class _Cells:
    """A cell is a patient in a group: sum and number of its cases; ``rows`` cells by patient."""

    sums: Values
    counts: Values
    groups: Places
    rows: tuple[Places, ...]  # (patient, cell) of patients who are in 1, 2, ... groups
    n_groups: int

    @staticmethod
    def of(losses: Values, owners: NDArray[np.str_], groups: Places, n_groups: int) -> _Cells:
        patient = np.unique(owners, return_inverse=True)[1]
        known, place = np.unique(patient * max(1, n_groups) + groups, return_inverse=True)
        sums, counts = np.zeros(len(known)), np.zeros(len(known))
        np.add.at(sums, place, losses)
        np.add.at(counts, place, 1)
        by_patient: dict[int, list[int]] = {}
        for cell, code in enumerate(known):
            by_patient.setdefault(int(code) // max(1, n_groups), []).append(cell)
        sizes = sorted({len(cells) for cells in by_patient.values()})
        rows = tuple(
            np.array([cells for cells in by_patient.values() if len(cells) == size])
            for size in sizes
        )
        return _Cells(sums, counts, known % max(1, n_groups), rows, n_groups)

    def gaps(self, groups: Places) -> tuple[Values, Values]:
        """How much worse each group is than the rest, and the same over its noise; NaN if small.

        ``groups``: (draw, cell); returns (draw, group) twice.
        """
        inside = groups[:, :, None] == np.arange(self.n_groups)
        n = inside.sum(axis=1)
        sums, counts = (np.einsum("dcg,c->dg", inside, x) for x in (self.sums, self.counts))
        others = groups.shape[1] - n
        enough = (n >= FEWEST) & (others >= FEWEST)
        total, number = self.sums.sum(), self.counts.sum()
        gap = np.full(n.shape, math.nan)
        rest = (total - sums[enough]) / (number - counts[enough])
        gap[enough] = sums[enough] / counts[enough] - rest
        return gap, gap / np.sqrt(1 / np.maximum(n, 1) + 1 / np.maximum(others, 1))

    def test(
        self, rng: np.random.Generator, n_permutations: int
    ) -> tuple[int | None, float, float]:
        """The worst group, its gap, and the p-value."""
        gap, score = (found[0] for found in self.gaps(self.groups[None]))
        if (~np.isnan(gap)).sum() < 2:
            return None, math.nan, math.nan
        worst = int(np.nanargmax(gap))
        # equal scores must count as equal although they round differently
        reached = score[worst] - 1e-12 * np.abs(self.sums).sum()
        hits = 0
        for first in range(0, n_permutations, AT_ONCE):
            moved = self.exchanged(rng, min(AT_ONCE, n_permutations - first))
            hits += int((np.nanmax(self.gaps(moved)[1], axis=1) >= reached).sum())
        return worst, float(gap[worst]), (hits + 1) / (n_permutations + 1)

    def exchanged(self, rng: np.random.Generator, n: int) -> Places:
        """Groups of the cells (draw, cell), exchanged between alike patients and within each."""
        groups = np.empty((n, len(self.groups)), dtype=self.groups.dtype)
        for rows in self.rows:
            order = rng.permuted(np.tile(np.arange(len(rows)), (n, 1)), axis=1)
            moved = self.groups[rows][order]
            groups[:, rows] = rng.permuted(moved, axis=2) if rows.shape[1] > 1 else moved
        return groups
