"""Classifiers on a test set: probabilities by method, compared by resampling patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.set_comparison import SetComparison
from vesalius.evaluation.statistics import owners, percentile_interval, resampled_counts
from vesalius.evaluation.tested import adjusted, against
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.tasks.task import Task


@dataclass
class ClassTable:
    """Probabilities of each class by method, and the true class; one row a case."""

    probabilities: dict[str, list[Tensor]] = field(default_factory=dict)
    truth: list[int] = field(default_factory=list)

    def add(self, probabilities: Mapping[str, Tensor], truth: Tensor) -> None:
        """One more case: ``(1, class)`` of each method, and the truth one-hot."""
        self.truth.append(int(truth[0].argmax()))
        for method, row in probabilities.items():
            self.probabilities.setdefault(method, []).append(row[0].double().cpu())

    @property
    def labels(self) -> Tensor:
        """The true classes, (case,)."""
        return torch.tensor(self.truth)

    def scores(self, method: str) -> Tensor:
        """Of two classes the probability of the last, (case,); of more, (case, class)."""
        table = torch.stack(self.probabilities[method])
        return table[:, 1] if table.shape[1] == 2 else table


def compared_tables(
    metric: TableMetric,
    scores: Mapping[str, Tensor],
    labels: Tensor,
    patients: Sequence[str],
    rng: np.random.Generator,
    n_boot: int = 1000,
) -> SetComparison:
    """The metric of every method's scores on the same cases, all resampled alike by patient.

    Intervals are plain percentiles of the resamples for which the metric is defined; NaN for fewer
    than two patients.
    """
    owner, n_patients = owners(patients, len(labels))
    values = {name: metric.value(rows, labels) for name, rows in scores.items()}
    n_boot = n_boot if n_patients > 1 else 0
    found = {name: np.empty(n_boot) for name in scores}
    for draw in range(n_boot):
        counts = torch.from_numpy(resampled_counts(n_patients, rng)[owner])
        taken = torch.arange(len(labels)).repeat_interleave(counts)
        for name, rows in scores.items():
            found[name][draw] = metric.value(rows[taken], labels[taken])
    intervals = {name: percentile_interval(values[name], found[name]) for name in scores}
    return SetComparison(intervals, found)


def table_records(
    task: Task, table: ClassTable, patients: Sequence[str], context: Record, seed: int
) -> list[Record]:
    """Every metric of the whole test set: the recipe against the first baseline, and alone."""
    scores = {name: table.scores(name) for name in table.probabilities}
    methods = [context.recipe, *(name for name in scores if name != context.recipe)]
    records: list[Record] = []
    for metric in task.judgement.tables:
        rng = numpy_stream(seed, "tables", context.group, metric.name)
        found = compared_tables(metric, scores, table.labels, patients, rng)
        for method in methods:
            interval = found.intervals[method]
            record = replace(
                context,
                recipe=method,
                metric=metric.name,
                level=metric.level,
                unit=metric.unit,
                direction=metric.direction,
                value=interval.value,
                low=interval.low,
                high=interval.high,
                n=len(set(patients)),
            )
            if method == context.recipe and len(methods) > 1:
                record = against(record, found, method, methods[1])
            records.append(record)
    return adjusted(records)
