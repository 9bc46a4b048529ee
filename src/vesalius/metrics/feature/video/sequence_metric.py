"""What a metric of single sequences is: one value each, without a reference."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Protocol

from torch import Tensor

from vesalius.core.record import Level
from vesalius.metrics.metric import Metric


class Named(Protocol):
    """A part that a number is named after: an extractor, a flow, an interpolator, a rater."""

    @property
    def name(self) -> str:
        """In snake_case."""


class SequenceMetric(Metric):
    """A metric of one sequence by itself: read it beside that of real sequences."""

    level: ClassVar[Level] = "feature"

    @property
    def part(self) -> Named | None:
        """The part without which the number means nothing; None where there is none."""
        return None

    @abstractmethod
    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """One value a sequence.

        ``sequences``: ``(batch, channel, time, *space)``, 2D or 3D, in physical units. ``mask``:
        bool ``(batch, 1, *space)`` or ``(batch, 1, time, *space)``, or None for everywhere. Returns
        ``(batch,)``, float64; NaN where it is not defined (an empty mask).
        """


def sequence_number_name(metric: SequenceMetric) -> str:
    """Name a number after the metric and its part: ``dynamic_degree[lucas_kanade]``."""
    return metric.name if metric.part is None else f"{metric.name}[{metric.part.name}]"
