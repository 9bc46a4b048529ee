"""What a metric is: a named statistic with a unit, a direction and a source."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level

#: From how often each generated and each real case counts, whole numbers, to the metric's value.
Counted = Callable[[Tensor, Tensor], float]


class Metric(ABC):
    """The names that every metric carries. Constructors store parameters; no state is kept."""

    name: ClassVar[str]
    level: ClassVar[Level]
    direction: ClassVar[Direction]
    citation: ClassVar[str]

    @property
    @abstractmethod
    def unit(self) -> str:
        """The unit of the value, e.g. ``"dB"``, ``"HU"``, ``"1"``."""


class CaseMetric(Metric):
    """A metric of one image against its reference."""

    @abstractmethod
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """One value a case.

        ``predicted`` and ``reference``: ``(batch, channel, *space)``, 2D or 3D, in physical units.
        ``mask``: ``(batch, 1, *space)`` bool or None for everywhere. Returns ``(batch,)``, float64;
        NaN where it is not defined (an empty mask). Raises InputError for shapes that differ.
        """


class SetMetric(Metric):
    """A metric of a set of images against another set, computed on features.

    ``bounds`` are the least and the largest value that it can have.
    """

    bounds: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    @abstractmethod
    def value(self, generated: Tensor, real: Tensor) -> float:
        """One value for two sets of features ``(n, feature)`` and ``(m, feature)``, float64."""

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """The value for resamples of two sets, told how often each case is in them.

        Metrics that have a quicker way than to repeat the rows, or that keep something of the whole
        sets fixed, say so where they replace it.
        """

        def value(of_generated: Tensor, of_real: Tensor) -> float:
            return self.value(
                generated.repeat_interleave(of_generated.long(), 0),
                real.repeat_interleave(of_real.long(), 0),
            )

        return value

    def of_parts(self, real: Tensor) -> Callable[[Tensor], float]:
        """The value between two parts of one set, told by a mask ``(n,)`` bool of the first."""
        return lambda first: self.value(real[first], real[~first])


class Extractor(ABC):
    """Images to features; its name is part of the name of every number made with it."""

    name: ClassVar[str]
    citation: ClassVar[str]

    @abstractmethod
    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, channel, *space)`` in physical units to ``(batch, feature)`` float64."""

    def require_unseen(self, patients: Sequence[str]) -> None:  # noqa: B027
        """Raise InputError where one of these patients must not be judged with these features.

        Nobody is refused, except by a network that was trained on a judged patient.
        """
