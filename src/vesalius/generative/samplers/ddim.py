"""DDIM, and ancestral sampling as its fully stochastic end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.path import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler


@dataclass(frozen=True)
class Ddim(Sampler):
    """Song et al. 2021 on any Gaussian path; ``eta`` 0 is deterministic, 1 is ancestral.

    For ratios r = noise / signal, the step to r' keeps r'^2 - s^2 of the old noise and adds s^2 of
    new, s = eta (r'/r) sqrt(r^2 - r'^2) (their equation 16, in variance-exploding coordinates).
    """

    path: GaussianPath
    steps: int = 50
    eta: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("at least one step", came=self.steps)
        if not 0 <= self.eta <= 1:
            raise InputError("eta between 0 and 1", came=self.eta)

    @property
    def calls(self) -> int:
        """One a step."""
        return self.steps

    def sample(self, predict: Predictor, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """From noise to clean."""
        path = self.path
        times = path.times(self.steps).to(rng.device)
        x = path.start(shape, rng)
        for now, then in pairwise(times):
            time = now.to(x.dtype).expand(shape[0])
            clean = predict(x, time)
            noise = path.noise_in(x, clean, time)
            now_ratio = float(path.noise(now) / path.signal(now))
            then_ratio = float(path.noise(then) / path.signal(then))
            fresh = (
                self.eta * then_ratio / now_ratio * max(now_ratio**2 - then_ratio**2, 0.0) ** 0.5
            )
            kept = max(then_ratio**2 - fresh**2, 0.0) ** 0.5
            x = clean + kept * noise
            if fresh > 0:
                x = x + fresh * torch.randn(shape, generator=rng, device=rng.device)
            x = x * float(path.signal(then))
        return x
