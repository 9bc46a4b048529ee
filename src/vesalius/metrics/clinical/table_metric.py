"""A metric of a table: one row of scores and one label a case, one value for the whole table."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.metric import Metric


class TableMetric(Metric):
    """A metric of a classifier on a set of cases; it has no value for one case alone."""

    @abstractmethod
    def value(self, scores: Tensor, labels: Tensor) -> float:
        """One value for the table; NaN where it is not defined.

        ``scores``: ``(n,)``, probability of label 1, or ``(n, label)``, one for each label.
        ``labels``: ``(n,)`` whole numbers from zero. Raises InputError for shapes and labels that
        do not fit, NaN, and scores outside [0, 1].
        """


def checked_table(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """``scores`` as float64 and ``labels`` as int64; raises InputError where they do not fit."""
    if scores.ndim not in (1, 2) or labels.shape != scores.shape[:1]:
        raise InputError(
            "scores of shape (n,) or (n, label) and labels of shape (n,)",
            came=f"{tuple(scores.shape)} and {tuple(labels.shape)}",
        )
    if scores.ndim == 2 and scores.shape[1] < 2:
        raise InputError("at least two labels", came="one", remedy="pass scores of shape (n,)")
    scores = scores.to(torch.float64)
    rows = scores.reshape(len(scores), -1) if len(scores) else scores.reshape(0, 1)
    wrong = ~((rows >= 0) & (rows <= 1)).all(dim=1)  # NaN is wrong, too
    if bool(wrong.any()):
        raise InputError(
            "scores between 0 and 1",
            case=f"row {int(wrong.nonzero()[0])}",
            remedy="pass probabilities (sigmoid or softmax)",
        )
    count = scores.shape[1] if scores.ndim == 2 else 2
    whole = labels.to(torch.int64)
    if not bool(((whole == labels) & (whole >= 0) & (whole < count)).all()):
        raise InputError(f"labels that are whole numbers from 0 to {count - 1}")
    return scores, whole


def checked_binary(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`checked_table`, for a probability of label 1."""
    if scores.ndim != 1:
        raise InputError(
            "scores of shape (n,)",
            came=f"shape {tuple(scores.shape)}",
            remedy="judge one label against the others: scores[:, k] and labels == k",
        )
    return checked_table(scores, labels)


def fraction(hits: Tensor) -> float:
    """Share of true entries; NaN for none at all."""
    return float(hits.to(torch.float64).mean()) if len(hits) else math.nan
