"""Cold diffusion: a path of ever stronger degradation, without noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.path import Path, Prediction, require_times
from vesalius.generative.paths.stratified import stratified


class Degrading(ABC):
    """A degradation that grows with time: identity at zero, that of the given images at one."""

    @abstractmethod
    def degrade(self, clean: Tensor, time: Tensor) -> Tensor:
        """``clean`` (batch, channel, *space) degraded up to ``time`` (batch,)."""


@dataclass(frozen=True)
class LowPass(Degrading):
    """Spatial frequencies above a cut-off are lost; the cut-off falls from all to 1 / ``factor``.

    The cut is as wide as a voxel of k-space, linear, so that the degradation is continuous in
    time. At time one it is the image of a k-space ``factor`` times smaller along every axis.
    """

    factor: float = 4.0

    def __post_init__(self) -> None:
        if not self.factor > 1:
            raise InputError("a factor above 1", came=self.factor)

    def degrade(self, clean: Tensor, time: Tensor) -> Tensor:
        """Filter along every axis of space."""
        axes = tuple(range(2, clean.ndim))
        kspace = torch.fft.fftn(clean, dim=axes)
        kept = 1 / (1 + (self.factor - 1) * time)
        for axis in axes:
            n = clean.shape[axis]
            frequency = torch.fft.fftfreq(n, device=clean.device).abs() * n
            edge = kept[:, None] * n / 2
            window = (edge + 1 - frequency[None]).clamp(0, 1)
            shape = [1] * clean.ndim
            shape[0], shape[axis] = -1, n
            kspace = kspace * window.view(shape)
        image: Tensor = torch.fft.ifftn(kspace, dim=axes).real
        return image


@dataclass(frozen=True)
class ColdPath(Path):
    """A degradation that grows with time, without noise (Bansal et al. 2022, cold diffusion).

    x_t is ``degradation`` of the clean image up to t. Draws start at the given image. The step is
    their algorithm 2, x - D(clean, t) + D(clean, s), which forgives errors of ``clean`` to first
    order.
    """

    kinds: ClassVar[tuple[Prediction, ...]] = ("denoised",)
    to_given: ClassVar[bool] = True

    degradation: Degrading = LowPass()

    def perturb(
        self, clean: Tensor, time: Tensor, noise: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """Degraded; neither noise nor the given image enters."""
        require_times(time)
        return self.degradation.degrade(clean, time)

    def start(
        self, shape: tuple[int, ...], rng: torch.Generator, given: Tensor | None = None
    ) -> Tensor:
        """The given image."""
        if given is None:
            raise InputError(
                "a degraded image like the wanted one, where the path begins",
                came="none",
                remedy="choose a task that gives one",
            )
        return given

    def move(
        self, x: Tensor, clean: Tensor, now: Tensor, then: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """Algorithm 2."""
        at, to = (time.to(x.dtype).expand(x.shape[0]) for time in (now, then))
        return x - self.degradation.degrade(clean, at) + self.degradation.degrade(clean, to)

    def target(
        self,
        kind: Prediction,
        clean: Tensor,
        noise: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """The clean image."""
        return clean

    def denoised(
        self,
        kind: Prediction,
        out: Tensor,
        x: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """The prediction itself."""
        return out

    def level(self, time: Tensor) -> Tensor:
        """-1 clean, 1 fully degraded."""
        return 2 * time - 1

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Uniform."""
        return stratified(n, rng).clamp_min(1e-3)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
