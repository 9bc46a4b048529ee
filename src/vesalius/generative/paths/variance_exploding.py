"""The variance-exploding path with geometric noise levels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.stratified import stratified


@dataclass(frozen=True)
class VarianceExplodingPath(GaussianPath):
    """Variance exploding, with geometric noise levels (Song et al. 2021, equation 31).

    signal = 1, noise = noise_min (noise_max / noise_min)^t. Time zero is noise zero.
    """

    data_std: float = 1.0
    noise_min: float = 0.01
    noise_max: float = 50.0

    def __post_init__(self) -> None:
        if not 0 < self.noise_min < self.noise_max:
            raise InputError(
                "0 < noise_min < noise_max", came=f"{self.noise_min} and {self.noise_max}"
            )

    def signal(self, time: Tensor) -> Tensor:
        """One."""
        return torch.ones_like(time)

    def noise(self, time: Tensor) -> Tensor:
        """Geometric, and zero at time zero."""
        sigma = self.noise_min * (self.noise_max / self.noise_min) ** time
        return torch.where(time > 0, sigma, torch.zeros_like(sigma))

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Uniform: noise levels are log-uniform."""
        return stratified(n, rng).clamp_min(1e-6)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced, then zero."""
        if steps == 1:
            return torch.tensor([1.0, 0.0], dtype=torch.float64)
        inner = torch.linspace(1, 0, steps, dtype=torch.float64)
        inner[-1] = 1e-9  # noise_min itself; zero is noise zero
        return torch.cat([inner, torch.zeros(1, dtype=torch.float64)])
