"""The variance-preserving path of the first diffusion models."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.stratified import stratified


@dataclass(frozen=True)
class LinearBetaPath(GaussianPath):
    """Variance preserving, with betas that rise linearly (Ho et al. 2020).

    Noise is added at a rate from ``beta_min`` to ``beta_max``. signal^2 = exp(-(beta_min t +
    (beta_max - beta_min) t^2 / 2)), noise^2 = 1 - signal^2: Ho et al. 2020 with 1000 steps of 1e-4
    to 0.02, in the continuous form of Song et al. 2021, equation 33.
    """

    data_std: float = 1.0
    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        if not 0 < self.beta_min < self.beta_max:
            raise InputError(
                "0 < beta_min < beta_max, so that noise rises",
                came=f"{self.beta_min} and {self.beta_max}",
            )

    def _decay(self, time: Tensor) -> Tensor:
        """Minus the logarithm of signal^2."""
        return self.beta_min * time + (self.beta_max - self.beta_min) * time**2 / 2

    def signal(self, time: Tensor) -> Tensor:
        """exp(-decay / 2)."""
        return torch.exp(-self._decay(time) / 2)

    def noise(self, time: Tensor) -> Tensor:
        """sqrt(1 - exp(-decay)), exact near zero."""
        return torch.sqrt(-torch.expm1(-self._decay(time)))

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Uniform."""
        return stratified(n, rng)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
