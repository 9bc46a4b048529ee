"""A path leads from noise to images; its times run from zero (clean) to one (noise)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


def expand(value_B: Tensor, like: Tensor) -> Tensor:
    """``(batch,)`` to ``(batch, 1, ...)`` with as many axes as ``like``."""
    return value_B.view(-1, *[1] * (like.ndim - 1))


class GaussianPath(ABC):
    """Paths of the form x_t = signal(t) x + noise(t) e with e standard normal.

    ``data_std`` is the standard deviation of images in model units. Every such path is a
    rescaling of the same rotation (x cos a + data_std e sin a) with a = atan2(noise, signal
    data_std), so that networks always see an input of unit variance and predict the velocity of
    that rotation whatever the path: Salimans & Ho 2022 (v-prediction), which for signal = 1 is the
    preconditioning of Karras et al. 2022, table 1.
    """

    data_std: float

    @abstractmethod
    def signal(self, time: Tensor) -> Tensor:
        """What is left of the image at ``time``, (batch,)."""

    @abstractmethod
    def noise(self, time: Tensor) -> Tensor:
        """Standard deviation of the noise at ``time``, (batch,)."""

    @abstractmethod
    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Times to train at, (n,), on the generator's device."""

    @abstractmethod
    def times(self, steps: int) -> Tensor:
        """``steps`` + 1 falling times from noise to clean, the last one zero; float64."""

    def perturb(self, x: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """The state at ``time``, (batch,), with standard normal ``noise``."""
        return expand(self.signal(time), x) * x + expand(self.noise(time), x) * noise

    def start(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """The state at time one, on the generator's device."""
        noise = torch.randn(shape, generator=rng, device=rng.device)
        last = torch.ones(shape[0], device=rng.device)
        scale = torch.sqrt(self.noise(last) ** 2 + (self.signal(last) * self.data_std) ** 2)
        return noise * expand(scale, noise)

    def angle(self, time: Tensor) -> Tensor:
        """Angle of the rotation at ``time``: 0 clean, pi/2 noise."""
        return torch.atan2(self.noise(time), self.signal(time) * self.data_std)

    def level(self, time: Tensor) -> Tensor:
        """What a network is told: a quarter of log(noise / (signal data_std)), bounded."""
        ratio = self.noise(time) / (self.signal(time) * self.data_std).clamp_min(1e-6)
        return ratio.clamp(1e-5, 1e5).log() / 4

    def normalised(self, x: Tensor, time: Tensor) -> Tensor:
        """``x`` at unit variance."""
        variance = self.noise(time) ** 2 + (self.signal(time) * self.data_std) ** 2
        return x / expand(variance.sqrt(), x)

    def velocity(self, clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """What a network is to predict: cos(a) e - sin(a) x / data_std."""
        a = expand(self.angle(time), clean)
        return torch.cos(a) * noise - torch.sin(a) * clean / self.data_std

    def denoised(self, velocity: Tensor, x: Tensor, time: Tensor) -> Tensor:
        """The clean image behind the state ``x`` for a predicted ``velocity``."""
        a = expand(self.angle(time), x)
        return self.data_std * (torch.cos(a) * self.normalised(x, time) - torch.sin(a) * velocity)

    def noise_in(self, x: Tensor, clean: Tensor, time: Tensor) -> Tensor:
        """The standard normal noise that leads from ``clean`` to ``x``; zero where none is."""
        sigma = expand(self.noise(time), x)
        found = (x - expand(self.signal(time), x) * clean) / sigma.clamp_min(1e-12)
        return torch.where(sigma > 0, found, torch.zeros_like(found))
