"""Heun's method on the probability-flow equation."""

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
class Heun(Sampler):
    """Second order (Karras et al. 2022, algorithm 1) on any Gaussian path; Euler's step at last.

    Steps are taken in z = x / signal against r = noise / signal, where dz/dr is the predicted
    noise.
    """

    path: GaussianPath
    steps: int = 18

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("at least one step", came=self.steps)

    @property
    def calls(self) -> int:
        """Two a step but the last."""
        return 2 * self.steps - 1

    def sample(self, predict: Predictor, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """From noise to clean."""
        path = self.path
        times = path.times(self.steps).to(rng.device)
        x = path.start(shape, rng)

        def slope(z: Tensor, at: Tensor) -> Tensor:
            time = at.to(z.dtype).expand(shape[0])
            state = z * float(path.signal(at))
            return path.noise_in(state, predict(state, time), time)

        z = x / float(path.signal(times[0]))
        for now, then in pairwise(times):
            step = float(path.noise(then) / path.signal(then) - path.noise(now) / path.signal(now))
            first = slope(z, now)
            ahead = z + step * first
            if float(path.noise(then)) > 0:
                ahead = z + step * (first + slope(ahead, then)) / 2
            z = ahead
        return z
