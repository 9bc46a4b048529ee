"""Guidance makes a predictor from a predictor, so it stacks."""

from __future__ import annotations

from abc import ABC, abstractmethod

from vesalius.core.batch import Batch
from vesalius.generative.predictor import Predictor


class Guidance(ABC):
    """What is known of a case beyond what the network was told."""

    @abstractmethod
    def guide(self, predict: Predictor, batch: Batch) -> Predictor:
        """A predictor that heeds ``batch``; differentiable where it is trained through."""
