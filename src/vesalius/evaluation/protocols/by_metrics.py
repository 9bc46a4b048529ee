"""Any measures of pairs under a name of one's own."""

from __future__ import annotations

from dataclasses import dataclass

from vesalius.evaluation.protocols.protocol import Found, Measure, Pair, Protocol, measured
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class ByMetrics(Protocol):
    """Measures of whole images as they are, within the mask where there is one.

    Parameters
    ----------
    called:
        The protocol's name.
    told:
        Settings, for records.
    metrics:
        What is measured, the most telling first.
    """

    called: str
    told: str
    metrics: tuple[CaseMetric, ...]

    citation = "see each metric"

    @property
    def name(self) -> str:
        """As called."""
        return self.called

    @property
    def settings(self) -> str:
        """As told."""
        return self.told

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those of the metrics."""
        return tuple(map(Measure.of, self.metrics))

    def values(self, pair: Pair) -> Found:
        """One value a case."""
        return measured(self.metrics, pair)

    def text(self) -> str:
        """Name and settings."""
        return f"{self.called}, {self.told}"
