"""What losses of measurements need of a batch."""

from __future__ import annotations

from torch import Tensor

from vesalius.core.batch import Batch, MeasurementOperator
from vesalius.core.errors import InputError


def measured(batch: Batch) -> tuple[MeasurementOperator, Tensor]:
    """The batch's operator and what was measured; raises InputError where there is none."""
    if batch.operator is None or batch.measurement is None:
        raise InputError(
            "a task with measurements for a loss of measurements",
            came="images alone",
            remedy="choose a reconstruction task or a loss of images",
        )
    return batch.operator, batch.measurement
