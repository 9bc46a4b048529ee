"""Fidelity and diversity apart: precision, recall, density and coverage by nearest neighbours."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.pairs import row_blocks
from vesalius.metrics.metric import Counted, SetMetric


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # without the |a|^2 + |b|^2 - 2ab shortcut, so that equal cases are at distance exactly 0
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _radii(features: Tensor, neighbours: int) -> Tensor:
    """Distance of each case to its ``neighbours``-th nearest other one, ``(n,)``."""
    # the smallest distance of the row is the case's own
    return torch.cat([
        _distances(features[rows], features).kthvalue(neighbours + 1, dim=1).values
        for rows in row_blocks(len(features), len(features))
    ])  # fmt: skip


def _balls_around(cases: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """In how many balls around ``centres`` each of ``cases`` lies, ``(n,)`` int64."""
    return torch.cat([
        (_distances(cases[rows], centres) <= radii).sum(1)
        for rows in row_blocks(len(cases), len(centres))
    ])  # fmt: skip


def _cases_inside(centres: Tensor, radii: Tensor, cases: Tensor) -> Tensor:
    """Whether the ball around each of ``centres`` holds any of ``cases``, ``(n,)`` bool."""
    return torch.cat([
        _distances(centres[rows], cases).amin(1) <= radii[rows]
        for rows in row_blocks(len(centres), len(cases))
    ])  # fmt: skip


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

    @abstractmethod
    def values(self, generated: Tensor, real: Tensor) -> Tensor:
        """One value a case of the set that ``over`` names, float64."""

    def _sets(self, generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        return checked_sets(generated, real, least=self.neighbours + 1)


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

    def values(self, generated: Tensor, real: Tensor) -> Tensor:
        """Whether each generated case lies in a real ball."""
        generated, real = self._sets(generated, real)
        found = _balls_around(generated, real, _radii(real, self.neighbours))
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

    def values(self, generated: Tensor, real: Tensor) -> Tensor:
        """Whether each real case lies in a generated ball."""
        generated, real = self._sets(generated, real)
        found = _balls_around(real, generated, _radii(generated, self.neighbours))
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

    def values(self, generated: Tensor, real: Tensor) -> Tensor:
        """Real balls around each generated case, over k."""
        generated, real = self._sets(generated, real)
        found = _balls_around(generated, real, _radii(real, self.neighbours))
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

    def values(self, generated: Tensor, real: Tensor) -> Tensor:
        """Whether each real ball holds a generated case."""
        generated, real = self._sets(generated, real)
        return _cases_inside(real, _radii(real, self.neighbours), generated).double()
