"""The way back along any path, without new noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Deterministic(PathSampler):
    """At every step the state goes where it would be if the predicted clean image were the truth.

    On Gaussian paths this is DDIM, on bridges their mean (I2SB's deterministic form, the Euler
    step of a straight flow), on degradations algorithm 2 of cold diffusion (Bansal et al. 2022).
    """

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
            x = self.path.move(x, predict(x, at(now, x)), now, then, given)
        return x
