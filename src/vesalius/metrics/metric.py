"""What a metric is: a named statistic with a unit, a direction and a source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction, Level


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
    """A metric of a set of images against another set, computed on features."""

    @abstractmethod
    def value(self, generated: Tensor, real: Tensor) -> float:
        """One value for two sets of features ``(n, feature)`` and ``(m, feature)``, float64."""


class Extractor(ABC):
    """Images to features; its name is part of the name of every number made with it."""

    name: ClassVar[str]
    citation: ClassVar[str]

    @abstractmethod
    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, channel, *space)`` in physical units to ``(batch, feature)`` float64."""
