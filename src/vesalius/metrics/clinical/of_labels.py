"""A metric of one label under the label's name, and its mean over labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.clinical.dice import Dice
from vesalius.metrics.clinical.hd95 import HD95
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric

LabelMetric = Dice | HD95


class OfLabel(CaseMetric):
    """The same metric, named after its label: ``anterior dice``."""

    def __init__(self, metric: LabelMetric) -> None:
        self.metric = metric
        self.name = f"{metric.label_name} {metric.name}"  # type: ignore[misc]
        self.level = metric.level  # type: ignore[misc]
        self.direction = metric.direction  # type: ignore[misc]
        self.citation = metric.citation  # type: ignore[misc]

    @property
    def parameters(self) -> dict[str, Any]:
        """The metric's own."""
        return parameters_of(self.metric)

    @property
    def unit(self) -> str:
        """The metric's own."""
        return self.metric.unit

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """The metric's own."""
        return self.metric.statistic(predicted, reference, mask)


class MeanOverLabels(CaseMetric):
    """The mean of one metric over several labels, under the metric's name.

    A label for which it is not defined in a case does not count there; NaN where none is.
    """

    def __init__(self, metrics: Sequence[LabelMetric]) -> None:
        if len({type(metric) for metric in metrics}) != 1:
            raise InputError("one kind of metric, of one label or more", came=repr(metrics))
        first = metrics[0]
        self.metrics = tuple(metrics)
        self.name = first.name  # type: ignore[misc]
        self.level = first.level  # type: ignore[misc]
        self.direction = first.direction  # type: ignore[misc]
        self.citation = first.citation  # type: ignore[misc]

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of each label's metric."""
        return {"labels": [parameters_of(metric) for metric in self.metrics]}

    @property
    def unit(self) -> str:
        """The metrics' own."""
        return self.metrics[0].unit

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64."""
        values = [metric.statistic(predicted, reference, mask) for metric in self.metrics]
        return torch.stack(values).nanmean(dim=0)
