"""Ancestral sampling: the path walked backwards as the Markov chain it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at

#: Variance of a step backwards: of the posterior given the image, or of the step forwards.
Variance = Literal["posterior", "prior"]


def forward_std(now: tuple[float, float], then: tuple[float, float]) -> float:
    """Noise that the path adds from (signal, noise) ``then`` to the later ``now``."""
    (signal, noise), (signal_then, noise_then) = now, then
    return math.sqrt(max(noise**2 - (signal / signal_then * noise_then) ** 2, 0.0))


def step_back(
    x: Tensor,
    clean: Tensor,
    now: tuple[float, float],
    then: tuple[float, float],
    fresh: Tensor | None,
    variance: Variance = "posterior",
) -> Tensor:
    """Draw the state at ``then`` from the one at ``now`` and the image (Ho 2020, equations 6, 7).

    ``now`` and ``then`` are (signal, noise) of the path; ``fresh`` is standard normal noise, which
    the step to noise zero does without.
    """
    (signal, noise), (signal_then, noise_then) = now, then
    kept = signal * noise_then**2 / (signal_then * noise**2)
    mean = (signal_then - kept * signal) * clean + kept * x
    if fresh is None:
        return mean
    std = forward_std(now, then) * (noise_then / noise if variance == "posterior" else 1.0)
    return mean + std * fresh


@dataclass(frozen=True)
class Ancestral(PathSampler):
    """Ho et al. 2020, algorithm 2, on any Gaussian path; nothing is added in the last step.

    With ``variance="posterior"`` a step has the variance that it would have if the image were known
    (their beta tilde; the same law as ``Ddim(eta=1)``), with ``"prior"`` that of the path's own
    step forwards (their beta; on a path of signal one, the reverse diffusion of Song et al. 2021).
    The two agree in the limit of many steps, and bound the right variance from below and above.
    """

    path: GaussianPath
    variance: Variance = "posterior"

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
        levels = list(zip(path.signal(times).tolist(), path.noise(times).tolist(), strict=True))
        for time, (now, then) in zip(times, pairwise(levels), strict=False):
            clean = predict(x, at(time, x))
            fresh = path.draw_noise(tuple(x.shape), rng) if then[1] > 0 else None
            x = step_back(x, clean, now, then, fresh, self.variance)
        return x
