"""A metric of a table of predicted and observed values, one value for the whole table."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_finite
from vesalius.metrics.metric import Metric


class PairedValuesMetric(Metric):
    """A metric of a quantity that was predicted for a set of cases and observed in them."""

    @abstractmethod
    def value(self, predicted: Tensor, observed: Tensor) -> float:
        """One value for the table; NaN where it is not defined.

        ``predicted`` and ``observed``: ``(n,)``, one number a case, in one unit; ``(n, feature)``
        for a metric that says so. Raises InputError for shapes that differ, NaN and infinities.
        """


def checked_pairs(predicted: Tensor, observed: Tensor, axes: int = 1) -> tuple[Tensor, Tensor]:
    """Both as float64; raises InputError where they are not finite tables of ``axes`` axes."""
    wanted = "(n,)" if axes == 1 else "(n, feature)"
    if observed.ndim != axes or predicted.shape != observed.shape:
        raise InputError(
            f"predicted and observed values of one shape {wanted}",
            came=f"{tuple(predicted.shape)} and {tuple(observed.shape)}",
        )
    for values, name in ((predicted, "predicted"), (observed, "observed")):
        check_finite(values.reshape(len(values), values[:1].numel()), name)
    return predicted.to(torch.float64), observed.to(torch.float64)
