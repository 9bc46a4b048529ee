"""Paths of scaled images and scaled noise."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.generative.paths.path import Path, Prediction, expand, require_times


class GaussianPath(Path):
    """Scaled image and scaled noise: x_t = signal(t) x + noise(t) e with e standard normal.

    ``data_std`` is the standard deviation of images in model units. Every such path is a
    rescaling of the same rotation (x cos a + data_std e sin a) with a = atan2(noise, signal
    data_std), so that networks always see an input of unit variance and, with
    ``"velocity"``, predict the velocity of that rotation whatever the path: Salimans & Ho 2022,
    which for signal = 1 is the preconditioning of Karras et al. 2022, table 1. ``"flow"`` is the
    path's own derivative dx/dt at fixed image and noise (Lipman et al. 2023), ``"score"`` the
    gradient of the log density of states.
    """

    kinds: ClassVar[tuple[Prediction, ...]] = ("denoised", "noise", "velocity", "score", "flow")
    data_std: float

    @abstractmethod
    def signal(self, time: Tensor) -> Tensor:
        """What is left of the image at ``time``, (batch,)."""

    @abstractmethod
    def noise(self, time: Tensor) -> Tensor:
        """Standard deviation of the noise at ``time``, (batch,)."""

    def ratio(self, time: Tensor) -> Tensor:
        """Noise over signal: the one number by which all Gaussian paths agree."""
        return self.noise(time) / self.signal(time)

    def rates(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Derivatives of signal and noise with respect to time."""
        with torch.enable_grad():
            at = time.detach().requires_grad_()
            signal, noise = (
                torch.autograd.grad(values(at).sum() + 0 * at.sum(), at)[0]
                for values in (self.signal, self.noise)
            )
        return signal, noise

    def perturb(
        self, clean: Tensor, time: Tensor, noise: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """Signal times image plus noise."""
        require_times(time)
        return expand(self.signal(time), clean) * clean + expand(self.noise(time), clean) * noise

    def start(
        self, shape: tuple[int, ...], rng: torch.Generator, given: Tensor | None = None
    ) -> Tensor:
        """Noise as wide as states at time one are, images included."""
        noise = self.draw_noise(shape, rng)
        last = torch.ones(shape[0], device=rng.device)
        return noise * expand(self.width(last), noise)

    def angle(self, time: Tensor) -> Tensor:
        """Angle of the rotation at ``time``: 0 clean, pi/2 noise."""
        return torch.atan2(self.noise(time), self.signal(time) * self.data_std)

    def width(self, time: Tensor) -> Tensor:
        """Standard deviation of the states at ``time``, (batch,)."""
        return torch.sqrt(self.noise(time) ** 2 + (self.signal(time) * self.data_std) ** 2)

    def level(self, time: Tensor) -> Tensor:
        """A quarter of log(noise / (signal data_std)), bounded."""
        ratio = self.noise(time) / (self.signal(time) * self.data_std).clamp_min(1e-6)
        return ratio.clamp(1e-5, 1e5).log() / 4

    def normalised(self, x: Tensor, time: Tensor) -> Tensor:
        """``x`` at unit variance."""
        return x / expand(self.width(time), x)

    def noise_in(self, x: Tensor, clean: Tensor, time: Tensor) -> Tensor:
        """The standard normal noise that leads from ``clean`` to ``x``; zero where none is."""
        sigma = expand(self.noise(time), x)
        found = (x - expand(self.signal(time), x) * clean) / sigma.clamp_min(1e-12)
        return torch.where(sigma > 0, found, torch.zeros_like(found))

    def move(
        self, x: Tensor, clean: Tensor, now: Tensor, then: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """The same noise at another level: the step of DDIM."""
        noise = self.noise_in(x, clean, now.to(x.dtype).expand(x.shape[0]))
        return self.perturb(clean, then.to(x.dtype).expand(x.shape[0]), noise)

    def target(
        self,
        kind: Prediction,
        clean: Tensor,
        noise: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """Image, noise, cos(a) e - sin(a) x / data_std, -e / noise(t), or dx/dt."""
        if kind == "denoised":
            return clean
        if kind == "noise":
            return noise
        if kind == "score":
            return -noise / expand(self.noise(time), noise)
        if kind == "flow":
            signal_rate, noise_rate = self.rates(time)
            return expand(signal_rate, clean) * clean + expand(noise_rate, noise) * noise
        a = expand(self.angle(time), clean)
        return torch.cos(a) * noise - torch.sin(a) * clean / self.data_std

    def denoised(
        self,
        kind: Prediction,
        out: Tensor,
        x: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """The inverse of :meth:`target` at the state ``x``."""
        if kind == "denoised":
            return out
        signal, sigma = expand(self.signal(time), x), expand(self.noise(time), x)
        if kind == "noise":
            return (x - sigma * out) / signal
        if kind == "score":
            return (x + sigma**2 * out) / signal
        if kind == "flow":
            signal_rate, noise_rate = (expand(rate, x) for rate in self.rates(time))
            return (sigma * out - noise_rate * x) / (sigma * signal_rate - signal * noise_rate)
        a = expand(self.angle(time), x)
        return self.data_std * (torch.cos(a) * self.normalised(x, time) - torch.sin(a) * out)
