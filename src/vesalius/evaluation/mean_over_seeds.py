"""A metric of a table, of networks that were trained several times."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.metrics.clinical.table_metric import TableMetric


class MeanOverSeeds(TableMetric):
    """The mean of another metric over seeds; not the metric of the seeds' mean scores.

    Scores that are averaged first are those of an ensemble, which no single training gives.
    """

    def __init__(self, metric: TableMetric) -> None:
        self.metric = metric
        self.name = metric.name  # type: ignore[misc]
        self.level = metric.level  # type: ignore[misc]
        self.direction = metric.direction  # type: ignore[misc]
        self.citation = metric.citation  # type: ignore[misc]

    @property
    def unit(self) -> str:
        """The metric's own."""
        return self.metric.unit

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """Of ``(case, seed)``, the probability of label 1 by every seed."""
        values = [self.metric.value(of_seed, labels) for of_seed in scores.unbind(1)]
        return float(torch.tensor(values, dtype=torch.float64).mean())
