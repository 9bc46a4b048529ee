"""One call of the network: regression, GANs, VAEs' decoders."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler


@dataclass(frozen=True)
class Direct(Sampler):
    """The prediction itself. What varies between draws lies in the network (dropout)."""

    @property
    def calls(self) -> int:
        """One."""
        return 1

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """One call."""
        return predict(None, None)
