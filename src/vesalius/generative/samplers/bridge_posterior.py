"""Stochastic steps along a bridge."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.generative.paths.bridge import BridgePath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class BridgePosterior(PathSampler):
    """I2SB (Liu et al. 2023), algorithm 2: each state is drawn between the last and the clean.

    For the true clean image the states have exactly the law of the path, whatever the steps.
    """

    path: BridgePath

    def solve(
        self,
        predict: Predictor,
        x: Tensor,
        times: Tensor,
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """See the class."""
        for now, then in pairwise(times):
            clean = predict(x, at(now, x))
            x = self.path.move(x, clean, now, then, given)
            deviation = float(self.path.between(now, then)[1])
            if deviation > 0:
                x = x + deviation * self.path.draw_noise(tuple(x.shape), rng)
        return x
