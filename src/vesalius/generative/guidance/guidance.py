"""Guidance makes a predictor from a predictor, so it stacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from vesalius.core.batch import Batch
from vesalius.generative.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Scene:
    """What guidance may look at: the batch, the networks, and what they predict of other batches.

    ``predictor`` makes the system's own unguided predictor of any batch, for instance of this one
    with nothing given.
    """

    batch: Batch
    networks: Mapping[str, nn.Module]
    predictor: Callable[[Batch], Predictor]


class Guidance(ABC):
    """What is known of a case beyond what the network was told."""

    @abstractmethod
    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """A predictor that heeds ``scene``; differentiable where it is trained through."""


def guided(predict: Predictor, guidance: tuple[Guidance, ...], scene: Scene) -> Predictor:
    """``predict`` under every guidance, the first innermost."""
    for one in guidance:
        predict = one.guide(predict, scene)
    return predict
