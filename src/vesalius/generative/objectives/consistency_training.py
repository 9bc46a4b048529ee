"""Consistency learnt from images alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.objectives.consistency import Consistency
from vesalius.generative.objectives.objective import Interface, Networks


class ConsistencyTraining(Consistency):
    """Neighbouring states share image and noise (Song et al. 2023; Song & Dhariwal 2024).

    That is a step of the probability flow with the image itself in place of its expectation: right
    on average, and the more so the closer the times, whose number grows.
    """

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """State and given to a prediction of the wanted."""
        return {"network": self.denoiser.interface(given, wanted)}

    def below(
        self,
        networks: Networks,
        batch: Batch,
        states: tuple[Tensor, Tensor, Tensor, Tensor],
        again: Callable[[], torch.Generator],
    ) -> Tensor:
        """The same image with the same noise."""
        clean, noise, _, below = states
        return self.path.perturb(clean, below, noise)
