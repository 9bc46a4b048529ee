"""Heun's method on the probability-flow equation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Heun(PathSampler):
    """Second order on any Gaussian path; at last the predicted image itself.

    Steps are taken in the ``variable`` in which the equation is written. ``"angle"``: the state at
    unit variance u turns by du/da = velocity (ADR 6), which is bounded however much noise there is;
    for normal images of the path's data_std the velocity is zero and one step is exact.
    ``"ratio"``: dz/dr = noise for z = x / signal against r = noise / signal, which for signal = 1
    is algorithm 1 of Karras et al. 2022; where a path ends in almost pure noise its first steps
    are far too long.
    """

    path: GaussianPath
    steps: int = 18
    variable: Literal["angle", "ratio"] = "angle"

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
        turning = self.variable == "angle"
        places = (path.angle(times) if turning else path.ratio(times)).tolist()
        scales = (path.width(times) if turning else path.signal(times)).tolist()

        def slope(z: Tensor, k: int) -> Tensor:
            state, time = z * scales[k], at(times[k], z)
            clean = predict(state, time)
            noise = path.noise_in(state, clean, time)
            return path.target("velocity", clean, noise, time) if turning else noise

        z = x / scales[0]
        for k, _ in enumerate(pairwise(times[:-1])):
            step = places[k + 1] - places[k]
            first = slope(z, k)
            z = z + step * (first + slope(z + step * first, k + 1)) / 2
        return predict(z * scales[-2], at(times[-2], z))
