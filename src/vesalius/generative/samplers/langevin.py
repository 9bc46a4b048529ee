"""Langevin dynamics at falling noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at


def score_of(path: GaussianPath, x: Tensor, clean: Tensor, time: Tensor) -> Tensor:
    """Gradient of the log density of states, by Tweedie's formula."""
    return -path.noise_in(x, clean, time) / expand(path.noise(time), x)


@dataclass(frozen=True)
class Langevin(PathSampler):
    """Annealed Langevin dynamics (Song & Ermon 2019, algorithm 1).

    At every one of ``steps`` levels, ``corrections`` times x <- x + h/2 score + sqrt(h) noise with
    h = ``step_size`` times the level's noise variance (their alpha, whose ratio to the variance is
    the same at all levels); at last the predicted image, which takes away the last level's noise
    (Jolicoeur-Martineau et al. 2021). Between levels a state changes in its scale only, so the
    dynamics have to take the noise away: where log(noise / signal) falls by d a level, draws have
    about (2 / ``step_size`` + 1/2) d / ``corrections`` too much variance, as a part of it. Paths of
    geometric noise levels suit it.
    """

    path: GaussianPath
    corrections: int = 5
    step_size: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.corrections < 1:
            raise InputError("at least one correction a level", came=self.corrections)
        if not 0 < self.step_size < 2:  # the dynamics of pure noise diverge from 4 on
            raise InputError("a step size above 0 and below 2", came=self.step_size)

    @property
    def calls(self) -> int:
        """One a correction, and the last prediction."""
        return self.steps * self.corrections + 1

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
        signals, noises = path.signal(times).tolist(), path.noise(times).tolist()
        for k, (now, _) in enumerate(pairwise(times)):
            time = at(now, x)
            if k > 0 and signals[k - 1] > 0:
                x = signals[k] / signals[k - 1] * x
            size = self.step_size * noises[k] ** 2
            for _ in range(self.corrections):
                score = score_of(path, x, predict(x, time), time)
                x = x + size / 2 * score + size**0.5 * path.draw_noise(tuple(x.shape), rng)
        return predict(x, at(times[-2], x))
