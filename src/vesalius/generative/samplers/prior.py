"""A code drawn from a standard normal, and one call of the network: VAEs and GANs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler


@dataclass(frozen=True)
class Prior(Sampler):
    """The image of a normal code with a standard deviation of ``temperature``.

    ``shape`` is the code's (see ``Objective.code_shape``). Below a temperature of one, draws are
    more typical and less varied; at zero all are the image of the code zero.
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise InputError("a temperature of 0 or more", came=self.temperature)

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
        code = torch.randn(shape, generator=rng, device=rng.device)
        return predict(self.temperature * code, None)
