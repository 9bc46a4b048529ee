"""A bridge from one image to another: what is wanted at one end, what is given at the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.path import Path, Prediction, expand, require_times
from vesalius.generative.paths.stratified import stratified


@dataclass(frozen=True)
class BridgePath(Path):
    """From the wanted image straight to the given one, with the noise of a Brownian bridge.

    x_t = (1 - u) clean + u given + sqrt(variance u (1 - u)) e, where ``u`` rises from 0 to 1 with
    time. With ``variance`` above zero this is the image-to-image Schroedinger bridge (I2SB, Liu et
    al. 2023: ``schedule="symmetric"``, slow at both ends), the Brownian bridge (BBDM, Li et al.
    2023) or the stochastic interpolant (Albergo et al. 2023) of paired images; with ``variance`` 0
    it is the straight flow between them (Liu et al. 2023) and the mean-preserving degradation of
    CoreDiff (Gao et al. 2024, equation 6). ``"displacement"`` is what I2SB predicts, (x_t - clean)
    over its standard deviation sqrt(variance u), and (x_t - clean) / u = given - clean where the
    variance is 0.
    """

    kinds: ClassVar[tuple[Prediction, ...]] = ("denoised", "displacement")
    to_given: ClassVar[bool] = True

    variance: float = 0.0
    schedule: Literal["linear", "symmetric"] = "linear"

    def __post_init__(self) -> None:
        if self.variance < 0:
            raise InputError("a variance of 0 or more", came=self.variance)

    def share(self, time: Tensor) -> Tensor:
        """The share u of the given image."""
        if self.schedule == "linear":
            return time
        # the integral of a rate that is quadratic up to the middle and mirrored after it, as I2SB's
        early, late = 4 * time**3, 1 - 4 * (1 - time) ** 3
        return torch.where(time < 0.5, early, late)

    def deviation(self, time: Tensor) -> Tensor:
        """Standard deviation of x_t, (batch,)."""
        u = self.share(time)
        return (self.variance * u * (1 - u)).clamp_min(0).sqrt()

    def perturb(
        self, clean: Tensor, time: Tensor, noise: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """See the class."""
        assert given is not None, "a bridge has two ends"
        require_times(time)
        u = expand(self.share(time), clean)
        return (1 - u) * clean + u * given + expand(self.deviation(time), clean) * noise

    def start(
        self, shape: tuple[int, ...], rng: torch.Generator, given: Tensor | None = None
    ) -> Tensor:
        """The given image."""
        if given is None:
            raise InputError(
                "a given image like the wanted one, where the bridge begins",
                came="none",
                remedy="choose a task that gives one",
            )
        return given

    def between(self, now: Tensor, then: Tensor) -> tuple[Tensor, Tensor]:
        """Weight of the state, and standard deviation, at ``then`` for a clean image and a state.

        The part of a bridge that lies between the clean image and x at ``now`` is a bridge again.
        """
        u, v = self.share(now), self.share(then)
        weight = v / u
        return weight, (self.variance * v * (1 - weight)).clamp_min(0).sqrt()

    def move(
        self, x: Tensor, clean: Tensor, now: Tensor, then: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """The mean of the bridge between ``clean`` and ``x``; cold diffusion's step."""
        weight = float(self.between(now, then)[0])
        return clean + weight * (x - clean)

    def _scale(self, time: Tensor) -> Tensor:
        u = self.share(time).clamp_min(1e-6)
        return u if self.variance == 0 else (self.variance * u).sqrt()

    def target(
        self,
        kind: Prediction,
        clean: Tensor,
        noise: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """The clean image, or the state's displacement from it."""
        if kind == "denoised":
            return clean
        x = self.perturb(clean, time, noise, given)
        return (x - clean) / expand(self._scale(time), x)

    def denoised(
        self,
        kind: Prediction,
        out: Tensor,
        x: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """The inverse of :meth:`target`."""
        return out if kind == "denoised" else x - expand(self._scale(time), x) * out

    def level(self, time: Tensor) -> Tensor:
        """-1 clean, 1 given."""
        return 2 * time - 1

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Uniform."""
        return stratified(n, rng).clamp_min(1e-3)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
