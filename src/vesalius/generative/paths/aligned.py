"""A short diffusion whose far end is the given image under noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import Path, Prediction, expand, require_times


@dataclass(frozen=True)
class AlignedPath(Path):
    """The first part of a Gaussian path, with means that move from the clean image to the given.

    x_t = signal (( 1 - t) clean + t given) + noise e, signal and noise being those of ``whole`` at
    time ``reach`` t: where noise hides what the given image lacks, nothing is lost by starting
    there (PartDiff, Zhao et al. 2024, latent alignment). Predictions are those of ``whole`` for the
    clean image: ``"velocity"`` is cos(a) e - sin(a) clean / data_std.
    """

    kinds: ClassVar[tuple[Prediction, ...]] = ("velocity", "denoised")
    to_given: ClassVar[bool] = True

    whole: GaussianPath
    reach: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.reach < 1:
            raise InputError("a reach between 0 and 1", came=self.reach)

    def perturb(
        self, clean: Tensor, time: Tensor, noise: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """See the class."""
        assert given is not None, "an aligned path has two ends"
        require_times(time)
        u = expand(time, clean)
        return self.whole.perturb((1 - u) * clean + u * given, self.reach * time, noise)

    def start(
        self, shape: tuple[int, ...], rng: torch.Generator, given: Tensor | None = None
    ) -> Tensor:
        """The given image under the noise of ``reach``."""
        if given is None:
            raise InputError(
                "a given image like the wanted one, where the path begins",
                came="none",
                remedy="choose a task that gives one",
            )
        last = torch.full((shape[0],), self.reach, device=rng.device)
        return self.whole.perturb(given, last, self.draw_noise(shape, rng))

    def move(
        self, x: Tensor, clean: Tensor, now: Tensor, then: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """The same noise at another level around the mean there."""
        assert given is not None, "an aligned path has two ends"
        at, to = (time.to(x.dtype).expand(x.shape[0]) for time in (now, then))
        mean = torch.lerp(clean, given, float(now))
        return self.perturb(clean, to, self.whole.noise_in(x, mean, self.reach * at), given)

    def normalised(self, x: Tensor, time: Tensor) -> Tensor:
        """At unit variance."""
        return self.whole.normalised(x, self.reach * time)

    def target(
        self,
        kind: Prediction,
        clean: Tensor,
        noise: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """Those of the whole path for the clean image."""
        return self.whole.target(kind, clean, noise, self.reach * time)

    def denoised(
        self,
        kind: Prediction,
        out: Tensor,
        x: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """Solves state and velocity for the clean image."""
        if kind == "denoised":
            return out
        assert given is not None, "an aligned path has two ends"
        whole, at = self.whole, self.reach * time
        u, signal, sigma = (expand(v, x) for v in (time, whole.signal(at), whole.noise(at)))
        a = expand(whole.angle(at), x)
        left = x - signal * u * given - sigma * out / torch.cos(a)
        return left / (signal * (1 - u) + sigma * torch.tan(a) / whole.data_std)

    def level(self, time: Tensor) -> Tensor:
        """Of the whole path."""
        return self.whole.level(self.reach * time)

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Those of the whole path, as shares of ``reach``."""
        return self.whole.draw_times(n, rng)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
