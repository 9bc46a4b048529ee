"""DDIM, and ancestral sampling as its fully stochastic end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Ddim(PathSampler):
    """Song et al. 2021 on any Gaussian path; ``eta`` 0 is deterministic, 1 is ancestral.

    For ratios r = noise / signal, the step to r' keeps r'^2 - s^2 of the old noise and adds s^2 of
    new, s = eta (r'/r) sqrt(r^2 - r'^2) (their equation 16, in variance-exploding coordinates).
    """

    path: GaussianPath
    eta: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta <= 1:
            raise InputError("eta between 0 and 1", came=self.eta)

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
        for k, (now, _) in enumerate(pairwise(times)):
            clean = predict(x, at(now, x))
            noise = path.noise_in(x, clean, at(now, x))
            fresh = self.eta * ratios[k + 1] / ratios[k]
            fresh *= max(ratios[k] ** 2 - ratios[k + 1] ** 2, 0.0) ** 0.5
            kept = max(ratios[k + 1] ** 2 - fresh**2, 0.0) ** 0.5
            x = clean + kept * noise
            if fresh > 0:
                x = x + fresh * path.draw_noise(tuple(x.shape), rng)
            x = x * signals[k + 1]
        return x
