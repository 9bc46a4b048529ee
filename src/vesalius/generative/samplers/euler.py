"""Euler's method in the path's own time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Euler(PathSampler):
    """First order on the flow dx/dt = signal'(t) image + noise'(t) noise (Lipman et al. 2023).

    This is how flow matching draws. DDIM is Euler's method for the same curves in other
    coordinates (x / signal against noise / signal): on a straight path, whose signal and noise are
    linear in time, both take the same steps, elsewhere they do not. The last step goes to the
    predicted image, which on straight paths is Euler's own.
    """

    path: GaussianPath

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
        clean = x
        for k, (now, then) in enumerate(pairwise(times)):
            time = at(now, x)
            clean = predict(x, time)
            if k + 2 < len(times):
                flow = path.target("flow", clean, path.noise_in(x, clean, time), time)
                x = x + (then - now).to(x.dtype) * flow
        return clean
