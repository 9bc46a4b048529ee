"""A sampler draws images with a predictor."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from vesalius.generative.predictor import Predictor


class Sampler(ABC):
    """Constructors store settings; :meth:`sample` keeps no state."""

    @abstractmethod
    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """Draw images of ``shape`` (batch, channel, *space), on the generator's device.

        ``given`` is the given image in the path's coordinates, where the task gives one of the
        wanted's shape: some paths lead to it and some draws begin there.
        """

    @property
    @abstractmethod
    def calls(self) -> int:
        """Calls of the predictor for one draw."""

    def calls_for(self, shape: tuple[int, ...]) -> int:
        """Calls for one draw of ``shape``, where it depends on that."""
        return self.calls
