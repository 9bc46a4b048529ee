"""Degradations: what a measurement does to one image, drawn first and applied after.

Noise belongs to the degradation, the rest to the linear operator that it returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from vesalius.physics.operator import LinearOperator

DrawnRecord: TypeAlias = dict[str, Any]
"""Everything random about one degraded case, as plain JSON: the case can be made again from it."""


class Degradation(ABC):
    """From an image to a measurement and the operator behind it."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """Draw everything random for one case whose image has ``space`` pixels along its axes."""

    @abstractmethod
    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, LinearOperator]:
        """Measure one image ``(channel, *space)``, without a batch axis.

        Returns the measurement, also without a batch axis, and its operator for a batch of one.
        Measurements of several cases are stacked with ``torch.stack``, their operators with
        :func:`vesalius.physics.operator.collate`. The same record gives the same measurement.
        """
