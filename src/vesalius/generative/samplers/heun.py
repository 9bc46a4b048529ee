"""Heun's method on the probability-flow equation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Heun(PathSampler):
    """Second order (Karras et al. 2022, algorithm 1) on any Gaussian path; Euler's step at last.

    Steps are taken in z = x / signal against r = noise / signal, where dz/dr is the predicted
    noise.
    """

    path: GaussianPath
    steps: int = 18

    @property
    def calls(self) -> int:
        """Two a step but the last."""
        return 2 * self.steps - 1

    def solve(
        self,
        predict: Predictor,
        x: Tensor,
        times: Tensor,
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """See the class."""
        path = self.path
        ratios, signals = path.ratio(times).tolist(), path.signal(times).tolist()

        def slope(z: Tensor, k: int) -> Tensor:
            state = z * signals[k]
            return path.noise_in(state, predict(state, at(times[k], z)), at(times[k], z))

        z = x / signals[0]
        for k, _ in enumerate(pairwise(times)):
            step = ratios[k + 1] - ratios[k]
            first = slope(z, k)
            ahead = z + step * first
            if ratios[k + 1] > 0:
                ahead = z + step * (first + slope(ahead, k + 1)) / 2
            z = ahead
        clean: Tensor = z * signals[-1]
        return clean
