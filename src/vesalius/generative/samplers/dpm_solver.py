"""DPM-Solver++: second order at one call a step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class DpmSolver(PathSampler):
    """DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2) on any Gaussian path.

    The predicted image is taken as linear in l = log(signal / noise) through this state and the one
    before, and the rest of the equation is solved exactly: in z = x / signal and r = noise /
    signal, z' = (r'/r) z + (1 - r'/r) (D + h / (2 h_before) (D - D_before)) with h the step in l.
    The first step and the last, on which l is infinite, are of first order. On paths whose noise
    falls to zero in even steps the error of n steps is of order log(n) / n^2, since the last steps
    in l do not shrink.
    """

    path: GaussianPath
    steps: int = 20

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
        before: Tensor | None = None
        step_before = math.inf
        for time, (now, then) in zip(times, pairwise(levels), strict=False):
            (signal, noise), (signal_then, noise_then) = now, then
            clean = predict(x, at(time, x))
            ahead = clean
            # r'/r; zero where the signal begins or the noise ends at zero, and l is infinite
            shrunk = (noise_then * signal) / (noise * signal_then)
            step = -math.log(shrunk) if shrunk > 0 else math.inf
            if before is not None and step < math.inf and step_before < math.inf:
                ahead = clean + step / (2 * step_before) * (clean - before)
            x = noise_then / noise * x + signal_then * (1 - shrunk) * ahead
            before, step_before = clean, step
        return x
