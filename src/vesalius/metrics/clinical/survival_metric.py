"""A metric of predicted risks and observed times to an event, one value for the whole table."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_finite
from vesalius.metrics.metric import Metric


class SurvivalMetric(Metric):
    """A metric of a prognosis for a set of cases, some of which were not followed to the event."""

    @abstractmethod
    def value(self, risk: Tensor, time: Tensor, event: Tensor) -> float:
        """One value for the table; NaN where it is not defined.

        ``risk``: ``(n,)``, higher for an earlier event (pass the negative of a predicted survival
        time). ``time``: ``(n,)``, to the event or to the end of observation, in any unit, not below
        zero. ``event``: ``(n,)`` bool, False where the case was censored. Raises InputError for
        shapes that differ, NaN, infinities and negative times.
        """


def checked_survival(risk: Tensor, time: Tensor, event: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Risk and time as float64, and the events; raises InputError where they do not fit."""
    if not (risk.ndim == 1 and risk.shape == time.shape == event.shape):
        shapes = ", ".join(str(tuple(part.shape)) for part in (risk, time, event))
        raise InputError("risk, time and event of one shape (n,)", came=shapes)
    if event.dtype is not torch.bool:
        raise InputError("'event' of type bool", came=str(event.dtype), remedy="pass event > 0")
    for values, name in ((risk, "risk"), (time, "time")):
        check_finite(values.reshape(-1, 1), name)
    if bool((time < 0).any()):
        row = int((time < 0).nonzero()[0])
        raise InputError("times that are not below zero", case=f"row {row}")
    return risk.to(torch.float64), time.to(torch.float64), event
