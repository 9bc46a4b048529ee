"""Fidelity and diversity apart: precision, recall, density and coverage by nearest neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.metric import SetMetric


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # without the |a|^2 + |b|^2 - 2ab shortcut, so that equal cases are at distance exactly 0
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _radii(features: Tensor, neighbours: int) -> Tensor:
    """Distance of each case to its ``neighbours``-th nearest other one, ``(n,)``."""
    # the smallest distance of the row is the case's own
    return _distances(features, features).kthvalue(neighbours + 1, dim=1).values


class ManifoldMetric(SetMetric):
    """What the four share: the number of neighbours, and the balls it draws around each case."""

    level = "feature"
    direction = "up"

    def __init__(self, neighbours: int = 5) -> None:
        if neighbours < 1:
            raise InputError("at least 1 neighbour", came=neighbours)
        self.neighbours = neighbours

    @property
    def unit(self) -> str:
        """A fraction of cases."""
        return "1"

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
    citation = "Kynkäänniemi et al. 2019, arXiv:1904.06991"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """From 0 to 1; each set needs more cases than neighbours."""
        generated, real = self._sets(generated, real)
        inside = _distances(real, generated) <= _radii(real, self.neighbours)[:, None]
        return float(inside.any(0).double().mean())


class Recall(ManifoldMetric):
    """Diversity: the part of real cases that lie in the ball of some generated case.

    References
    ----------
    Kynkäänniemi et al. 2019, arXiv:1904.06991 (there k = 3; 5 here as for coverage).
    """

    name = "recall"
    citation = "Kynkäänniemi et al. 2019, arXiv:1904.06991"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """From 0 to 1; each set needs more cases than neighbours."""
        generated, real = self._sets(generated, real)
        inside = _distances(generated, real) <= _radii(generated, self.neighbours)[:, None]
        return float(inside.any(0).double().mean())


class Density(ManifoldMetric):
    """Fidelity: how many real balls a generated case lies in, over k; may exceed 1.

    References
    ----------
    Naeem et al. 2020, arXiv:2002.09797.
    """

    name = "density"
    citation = "Naeem et al. 2020, arXiv:2002.09797"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """About 1 for equal distributions; each set needs more cases than neighbours."""
        generated, real = self._sets(generated, real)
        inside = _distances(real, generated) <= _radii(real, self.neighbours)[:, None]
        return float(inside.double().sum(0).mean() / self.neighbours)


class Coverage(ManifoldMetric):
    """Diversity: the part of real cases whose ball holds a generated case.

    References
    ----------
    Naeem et al. 2020, arXiv:2002.09797.
    """

    name = "coverage"
    citation = "Naeem et al. 2020, arXiv:2002.09797"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """From 0 to 1; each set needs more cases than neighbours."""
        generated, real = self._sets(generated, real)
        inside = _distances(real, generated) <= _radii(real, self.neighbours)[:, None]
        return float(inside.any(1).double().mean())
