"""Fidelity and diversity apart: precision, recall, density and coverage by nearest neighbours."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.pairs import row_blocks
from vesalius.metrics.metric import Counted, SetMetric

#: Cases whose distances to each other are kept, for parts of one set: 128 MiB.
TABLE = 4096


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # without the |a|^2 + |b|^2 - 2ab shortcut, so that equal cases are at distance exactly 0
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


@dataclass(frozen=True)
class _Between:
    """Distances of cases ``(n, feature)`` to others ``(m, feature)``, made some rows at a time."""

    cases: Tensor
    others: Tensor

    def blocks(self) -> Iterator[Tensor]:
        """Tables ``(rows, m)``, which together have all cases."""
        for rows in row_blocks(len(self.cases), len(self.others)):
            yield _distances(self.cases[rows], self.others)

    def turned(self) -> _Between:
        """From the others to the cases."""
        return _Between(self.others, self.cases)


@dataclass(frozen=True)
class _Known:
    """Distances that are known already, ``(n, m)``."""

    table: Tensor

    def blocks(self) -> Iterator[Tensor]:
        """The table."""
        yield self.table

    def turned(self) -> _Known:
        """From the others to the cases."""
        return _Known(self.table.T)


Distances = _Between | _Known


def _radii(within: Distances, neighbours: int) -> Tensor:
    """Distance of each case to its ``neighbours``-th nearest other one, ``(n,)``."""
    # the smallest distance of the row is the case's own
    return torch.cat([table.kthvalue(neighbours + 1, 1).values for table in within.blocks()])


def _balls_around(to_centres: Distances, radii: Tensor) -> Tensor:
    """In how many balls around the centres each case lies, ``(n,)`` int64."""
    return torch.cat([(table <= radii).sum(1) for table in to_centres.blocks()])


def _cases_inside(to_cases: Distances, radii: Tensor) -> Tensor:
    """Whether the ball around each centre holds any of the cases, ``(n,)`` bool."""
    return torch.cat([table.amin(1) for table in to_cases.blocks()]) <= radii


class ManifoldMetric(SetMetric):
    """What the four share: the number of neighbours, and the balls it draws around each case.

    Each is the mean of one value a case of the generated or of the real set (``over``).
    """

    level = "feature"
    direction = "up"
    bounds = (0.0, 1.0)
    over: ClassVar[Literal["generated", "real"]]

    def __init__(self, neighbours: int = 5) -> None:
        if neighbours < 1:
            raise InputError("at least 1 neighbour", came=neighbours)
        self.neighbours = neighbours

    @property
    def unit(self) -> str:
        """A fraction of cases."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """The mean over cases; each set needs more cases than neighbours."""
        return float(self.values(generated, real).mean())

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """The mean over the cases of a resample; the balls stay those of the whole sets.

        Balls of a resample would shrink to nothing around cases that are in it several times.
        """
        values = self.values(generated, real)

        def value(of_generated: Tensor, of_real: Tensor) -> float:
            counts = (of_generated if self.over == "generated" else of_real).to(values)
            return float((counts * values).sum() / counts.sum())

        return value

    def of_parts(self, real: Tensor) -> Callable[[Tensor], float]:
        """As if computed from the cases of both parts; their distances are computed once."""
        if len(real) > TABLE:
            return super().of_parts(real)
        cases, _ = checked_sets(real, real)
        table = _distances(cases, cases)

        def value(first: Tensor) -> float:
            checked_sets(cases[first], cases[~first], least=self.neighbours + 1)
            ours, theirs = table[first], table[~first]
            parts = (_Known(ours[:, first]), _Known(ours[:, ~first]), _Known(theirs[:, ~first]))
            return float(self.from_distances(*parts).mean())

        return value

    def values(self, generated: Tensor, real: Tensor) -> Tensor:
        """One value a case of the set that ``over`` names, float64."""
        generated, real = checked_sets(generated, real, least=self.neighbours + 1)
        within_generated, within_real = _Between(generated, generated), _Between(real, real)
        return self.from_distances(within_generated, _Between(generated, real), within_real)

    @abstractmethod
    def from_distances(
        self, within_generated: Distances, between: Distances, within_real: Distances
    ) -> Tensor:
        """:meth:`values`; ``between`` has a row a generated case."""


class Precision(ManifoldMetric):
    """Fidelity: the part of generated cases that lie in the ball of some real case.

    The ball of a case reaches to its k-th nearest neighbour of the same set; k is ``neighbours``.

    References
    ----------
    Kynkäänniemi et al. 2019, arXiv:1904.06991 (there k = 3; 5 here as for coverage).
    """

    name = "precision"
    over = "generated"
    citation = "Kynkäänniemi et al. 2019, arXiv:1904.06991"

    def from_distances(
        self, within_generated: Distances, between: Distances, within_real: Distances
    ) -> Tensor:
        """Whether each generated case lies in a real ball."""
        found = _balls_around(between, _radii(within_real, self.neighbours))
        return (found > 0).double()


class Recall(ManifoldMetric):
    """Diversity: the part of real cases that lie in the ball of some generated case.

    References
    ----------
    Kynkäänniemi et al. 2019, arXiv:1904.06991 (there k = 3; 5 here as for coverage).
    """

    name = "recall"
    over = "real"
    citation = "Kynkäänniemi et al. 2019, arXiv:1904.06991"

    def from_distances(
        self, within_generated: Distances, between: Distances, within_real: Distances
    ) -> Tensor:
        """Whether each real case lies in a generated ball."""
        found = _balls_around(between.turned(), _radii(within_generated, self.neighbours))
        return (found > 0).double()


class Density(ManifoldMetric):
    """Fidelity: how many real balls a generated case lies in, over k; may exceed 1.

    References
    ----------
    Naeem et al. 2020, arXiv:2002.09797.
    """

    name = "density"
    over = "generated"
    bounds = (0.0, math.inf)
    citation = "Naeem et al. 2020, arXiv:2002.09797"

    def from_distances(
        self, within_generated: Distances, between: Distances, within_real: Distances
    ) -> Tensor:
        """Real balls around each generated case, over k."""
        found = _balls_around(between, _radii(within_real, self.neighbours))
        return found.double() / self.neighbours


class Coverage(ManifoldMetric):
    """Diversity: the part of real cases whose ball holds a generated case.

    References
    ----------
    Naeem et al. 2020, arXiv:2002.09797.
    """

    name = "coverage"
    over = "real"
    citation = "Naeem et al. 2020, arXiv:2002.09797"

    def from_distances(
        self, within_generated: Distances, between: Distances, within_real: Distances
    ) -> Tensor:
        """Whether each real ball holds a generated case."""
        return _cases_inside(between.turned(), _radii(within_real, self.neighbours)).double()
