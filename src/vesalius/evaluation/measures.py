"""Values of several systems on the same cases, as comparisons take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vesalius.core.record import Direction, Level
from vesalius.evaluation.set_comparison import SetComparison

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One metric of one group of cases; what it is called, and how its values are read."""

    metric: str
    level: Level
    unit: str
    direction: Direction
    group: str = "test"


@dataclass(frozen=True, eq=False)
class CaseValues:
    """A metric with a value a case: ``values[system][case]`` of ``patients[case]``."""

    measure: Measure
    patients: tuple[str, ...]
    values: Mapping[str, Values]


@dataclass(frozen=True, eq=False)
class WholeValues:
    """A metric with a value for all cases at once, of systems that were resampled alike.

    ``floor`` is the value of real images against real ones, where there is one. Of direction
    "zero" the values must be absolute.
    """

    measure: Measure
    found: SetComparison
    n_patients: int
    floor: float | None = None


def finite_difference(a: Values, b: Values) -> bool:
    """Whether no case differs by an infinity; two infinities are equal, NaN does not count."""
    known = ~(np.isnan(a) | np.isnan(b))
    return bool((np.isfinite(a) & np.isfinite(b) | (a == b) | ~known).all())
