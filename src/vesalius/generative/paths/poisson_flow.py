"""Poisson flow: noise with heavy tails, from D extra dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.karras import KarrasPath
from vesalius.generative.paths.path import expand


@dataclass(frozen=True)
class PoissonFlowPath(GaussianPath):
    """PFGM++ (Xu et al. 2023): the schedule of :class:`KarrasPath` with r = noise sqrt(D).

    An image of N voxels is moved by R in a uniformly random direction, where R has the density
    R^(N-1) / (R^2 + r^2)^((N+D)/2): R^2 / (R^2 + r^2) is Beta(N/2, D/2), so R / noise does not
    depend on the noise level, and everything that holds for states of scaled image and scaled
    noise holds here, the noise alone being of another law. ``dimension`` D to infinity is the
    Gaussian; small D has heavier tails.
    """

    data_std: float = 0.5
    dimension: int = 64
    noise_min: float = 0.002
    noise_max: float = 80.0
    rho: float = 7.0
    log_mean: float = -1.2
    log_std: float = 1.2

    def __post_init__(self) -> None:
        if self.dimension < 1:
            raise InputError("a dimension of 1 or more", came=self.dimension)
        _ = self.schedule

    @cached_property
    def schedule(self) -> KarrasPath:
        """The Gaussian path with these noise levels."""
        return KarrasPath(
            self.data_std, self.noise_min, self.noise_max, self.rho, self.log_mean, self.log_std
        )

    def signal(self, time: Tensor) -> Tensor:
        """One."""
        return self.schedule.signal(time)

    def noise(self, time: Tensor) -> Tensor:
        """Of the schedule."""
        return self.schedule.noise(time)

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Of the schedule."""
        return self.schedule.draw_times(n, rng)

    def times(self, steps: int) -> Tensor:
        """Of the schedule."""
        return self.schedule.times(steps)

    def draw_noise(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """A uniform direction times R / noise = sqrt(D b / (1 - b)) with b of Beta(N/2, D/2)."""
        normal = torch.randn(shape, generator=rng, device=rng.device)
        # b / (1 - b) is a ratio of chi-square numbers of N and D degrees of freedom, and a normal
        # vector is a uniform direction times the root of the first
        halves = torch.full((shape[0],), self.dimension / 2, dtype=torch.float64, device=rng.device)
        other = 2 * torch._standard_gamma(halves, generator=rng)
        return normal * expand(torch.sqrt(self.dimension / other).to(normal), normal)
