"""The variance-exploding path of Karras et al. 2022 (EDM)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath


@dataclass(frozen=True)
class KarrasPath(GaussianPath):
    """Variance exploding, with the levels of EDM (Karras et al. 2022).

    signal = 1, noise from ``noise_min`` to ``noise_max`` (equation 5, exponent ``rho``). Training
    levels are log-normal (table 1: ``log_mean``, ``log_std``), clipped to the path. Time zero is
    noise zero.
    """

    data_std: float = 0.5
    noise_min: float = 0.002
    noise_max: float = 80.0
    rho: float = 7.0
    log_mean: float = -1.2
    log_std: float = 1.2

    def __post_init__(self) -> None:
        if not 0 < self.noise_min < self.noise_max:
            raise InputError(
                "0 < noise_min < noise_max", came=f"{self.noise_min} and {self.noise_max}"
            )

    def signal(self, time: Tensor) -> Tensor:
        """One."""
        return torch.ones_like(time)

    def noise(self, time: Tensor) -> Tensor:
        """Equation 5, continued to zero at time zero."""
        low, high = self.noise_min ** (1 / self.rho), self.noise_max ** (1 / self.rho)
        sigma = (low + time * (high - low)) ** self.rho
        return torch.where(time > 0, sigma, torch.zeros_like(sigma))

    def time_of(self, noise: Tensor) -> Tensor:
        """The time of a noise level."""
        low, high = self.noise_min ** (1 / self.rho), self.noise_max ** (1 / self.rho)
        time: Tensor = (noise ** (1 / self.rho) - low) / (high - low)
        return time

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Log-normal noise levels, as times."""
        log_noise = self.log_mean + self.log_std * torch.randn(n, generator=rng, device=rng.device)
        noise = log_noise.exp().clamp(self.noise_min * 1.0001, self.noise_max)
        return self.time_of(noise).clamp(1e-6, 1)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced in noise^(1/rho), then zero."""
        if steps == 1:
            return torch.tensor([1.0, 0.0], dtype=torch.float64)
        inner = torch.linspace(1, 0, steps, dtype=torch.float64)
        inner[-1] = 1e-9  # noise_min itself; zero is noise zero
        return torch.cat([inner, torch.zeros(1, dtype=torch.float64)])
