"""A codec says in which coordinates a system learns and draws."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from vesalius.core.batch import Batch


class Codec(ABC):
    """``decode`` undoes ``encode``, exactly or as well as it was trained to."""

    @abstractmethod
    def encode(self, wanted: Tensor, batch: Batch) -> Tensor:
        """Images in model units to what a path runs over."""

    @abstractmethod
    def decode(self, code: Tensor, batch: Batch) -> Tensor:
        """Back to images in model units."""
