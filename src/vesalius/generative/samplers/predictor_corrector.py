"""Steps along the path, each put right by Langevin dynamics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.ancestral import step_back
from vesalius.generative.samplers.langevin import score_of
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class PredictorCorrector(PathSampler):
    """Song et al. 2021, algorithms 2 to 5: ancestral steps, then Langevin at the level reached.

    A correction is x <- x + h score + sqrt(2 h) noise with h = 2 (``snr`` |noise| / |score|)^2,
    the norms those of each case. None is made at noise zero.
    """

    path: GaussianPath
    corrections: int = 1
    snr: float = 0.16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.corrections < 0:
            raise InputError("no correction or more", came=self.corrections)
        if not 0 < self.snr < 1:
            raise InputError("an snr between 0 and 1", came=self.snr)

    @property
    def calls(self) -> int:
        """One a step, and one a correction of all steps but the last."""
        return self.steps + self.corrections * (self.steps - 1)

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
        for k, (now, then) in enumerate(pairwise(levels)):
            clean = predict(x, at(times[k], x))
            last = then[1] == 0
            fresh = None if last else path.draw_noise(tuple(x.shape), rng)
            x = step_back(x, clean, now, then, fresh)
            for _ in range(0 if last else self.corrections):
                x = self._corrected(predict, x, at(times[k + 1], x), rng)
        return x

    def _corrected(
        self, predict: Predictor, x: Tensor, time: Tensor, rng: torch.Generator
    ) -> Tensor:
        score = score_of(self.path, x, predict(x, time), time)
        noise = self.path.draw_noise(tuple(x.shape), rng)
        sizes = [part.flatten(1).norm(dim=1) for part in (noise, score)]
        size = 2 * (self.snr * sizes[0] / sizes[1]) ** 2
        return x + expand(size, x) * score + expand((2 * size).sqrt(), x) * noise
