"""One call, or noise again and call again."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.beginning import GivenTimes
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Consistency(PathSampler):
    """Multistep consistency sampling (Song et al. 2023, algorithm 1), evenly in the path's time.

    For systems that predict an image at once from any state: consistency models and students of
    adversarial distillation. The image of one call is noised up to the next time with new noise.
    """

    path: GaussianPath
    steps: int = 1

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """From the beginning to clean, at even times or at those that are given."""
        if isinstance(self.beginning, GivenTimes):
            times = self.beginning.times(self.path, self.steps)
        else:
            first = self.beginning.times(self.path, 1)[0]
            times = first * torch.linspace(1, 0, self.steps + 1, dtype=torch.float64)
        times = times.to(rng.device)
        x = self.beginning.state(self.path, times[0], shape, rng, given)
        return self.solve(predict, x, times, rng, given)

    def solve(
        self,
        predict: Predictor,
        x: Tensor,
        times: Tensor,
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """See the class."""
        clean = x
        for now, then in pairwise(times):
            clean = predict(x, at(now, x))
            if then > 0:
                noise = self.path.draw_noise(tuple(x.shape), rng)
                x = self.path.perturb(clean, at(then, x), noise)
        return clean
