"""One number of a set of images: what is measured of each, and how that becomes a value."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.metrics.feature import CopiedShare, DuplicateShare, Precision
from vesalius.metrics.metric import CaseMetric, Extractor, SetMetric


class Measure(ABC):
    """What is measured of every image; judges that share a measure share the work.

    ``needs`` names the parts of a :class:`Cohort` without which it cannot be measured.
    """

    needs: tuple[str, ...] = ()

    @abstractmethod
    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, number)`` float64, one row an image."""


@dataclass(frozen=True, eq=False)
class Judge:
    """A number of a set of images: ``value`` of the rows of its ``measure``.

    ``direction`` is where a better generator's number lies. ``of`` says, in a few words, what the
    number is made from (features of which extractor, a reader's map). ``counts`` says that the
    number is a mean of counts, so that one event in one image moves it by one over their number: a
    single event is never enough to be noticed. ``bounds`` are the least and the largest value that
    it can have.
    """

    name: str
    level: Level
    direction: Direction
    unit: str
    measure: Measure
    value: Callable[[Tensor], float]
    of: str = ""
    counts: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)


class Paired(Measure):
    """A metric of each image against its reference, inside the mask."""

    needs = ("reference",)

    def __init__(self, metric: CaseMetric) -> None:
        self.metric = metric

    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, 1)``."""
        assert cohort.reference is not None
        return self.metric.statistic(cohort.images, cohort.reference, cohort.mask)[:, None]


class Features(Measure):
    """Features of each image, inside the mask, on a scale that was fitted elsewhere."""

    def __init__(
        self, extractor: Extractor, scale: Callable[[Tensor], Tensor] = lambda rows: rows
    ) -> None:
        self.extractor = extractor
        self.scale = scale

    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, feature)``."""
        return self.scale(self.extractor.features(cohort.images, cohort.mask).double().cpu())


def column_mean(column: int) -> Callable[[Tensor], float]:
    """Mean of one column over the images for which it is defined; NaN for none."""

    def value(rows: Tensor) -> float:
        return float(rows[:, column].nanmean())

    return value


def paired(metric: CaseMetric) -> Judge:
    """The mean of a paired metric over the images."""
    return Judge(
        metric.name,
        metric.level,
        metric.direction,
        metric.unit,
        Paired(metric),
        column_mean(0),
        "against the reference",
    )


def of_sets(metric: SetMetric, features: Features, real: Tensor, of: str) -> Judge:
    """A set metric against the features ``(m, feature)`` of other patients' images."""
    return Judge(
        f"{metric.name}[{features.extractor.name}]",
        "feature",
        metric.direction,
        metric.unit,
        features,
        lambda rows: metric.value(rows, real),
        of,
        counts=isinstance(metric, (Precision, CopiedShare, DuplicateShare)),
        bounds=metric.bounds,
    )
