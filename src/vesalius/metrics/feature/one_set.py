"""Metrics of the generated set alone, which the real set's own value stands beside."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from vesalius.metrics.metric import SetMetric


class OneSetMetric(SetMetric):
    """A value of one set. ``real_floor`` gives that of real halves, to be read beside it."""

    level = "feature"

    @property
    def unit(self) -> str:
        """A plain number."""
        return "1"

    @abstractmethod
    def of(self, features: Tensor) -> float:
        """The value of a set ``(n, feature)``, generated or real."""

    def value(self, generated: Tensor, real: Tensor) -> float:
        """The value of the generated set; the real one is not looked at."""
        return self.of(generated)
