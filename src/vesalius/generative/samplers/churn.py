"""Heun's method with noise added before every step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.time_of_ratio import time_of_ratio
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.path_sampler import PathSampler, at

#: The most by which noise rises in one step, as a part of what is there (Karras et al. 2022).
GREATEST_RISE = math.sqrt(2) - 1


@dataclass(frozen=True)
class Churn(PathSampler):
    """The stochastic sampler of EDM (Karras et al. 2022, algorithm 2) on any Gaussian path.

    In z = x / signal against r = noise / signal: where r lies from ``noise_low`` to ``noise_high``,
    noise is added up to r (1 + min(``churn`` / steps, sqrt(2) - 1)), at most to the path's end,
    then a step of Heun's method leads from there to the next time. The noise added is
    ``inflation`` times as strong as it should be, against denoisers that take too much away. With
    ``churn`` zero it is :class:`Heun` in the ratio.
    """

    path: GaussianPath
    steps: int = 18
    churn: float = 10.0
    noise_low: float = 0.05
    noise_high: float = 50.0
    inflation: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.churn < 0:
            raise InputError("churn of zero or more", came=self.churn)
        if not 0 <= self.noise_low <= self.noise_high:
            raise InputError(
                "0 <= noise_low <= noise_high", came=f"{self.noise_low} and {self.noise_high}"
            )
        if not self.inflation > 0:
            raise InputError("an inflation above zero", came=self.inflation)

    @property
    def calls(self) -> int:
        """Two a step but the last."""
        return 2 * self.steps - 1

    def raised(self, times: Tensor) -> Tensor:
        """Times up to which noise is added before each step, float64."""
        ratios = self.path.ratio(times[:-1])
        rise = min(self.churn / self.steps, GREATEST_RISE)
        inside = (ratios >= self.noise_low) & (ratios <= self.noise_high)
        higher = time_of_ratio(self.path, ratios * (1 + rise))
        return torch.where(inside & (rise > 0), torch.maximum(higher, times[:-1]), times[:-1])

    def solve(
        self,
        predict: Predictor,
        x: Tensor,
        times: Tensor,
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """See the class."""
        path, raised = self.path, self.raised(times)
        ratios, signals = path.ratio(times).tolist(), path.signal(times).tolist()
        from_ratios, from_signals = path.ratio(raised).tolist(), path.signal(raised).tolist()

        def slope(z: Tensor, signal: float, time: Tensor) -> Tensor:
            state = z * signal
            return path.noise_in(state, predict(state, at(time, z)), at(time, z))

        z = x / signals[0]
        for k, begin in enumerate(raised):
            added = max(from_ratios[k] ** 2 - ratios[k] ** 2, 0.0) ** 0.5
            if added > 0:
                z = z + added * self.inflation * path.draw_noise(tuple(z.shape), rng)
            step = ratios[k + 1] - from_ratios[k]
            first = slope(z, from_signals[k], begin)
            ahead = z + step * first
            if ratios[k + 1] > 0:
                second = slope(ahead, signals[k + 1], times[k + 1])
                ahead = z + step * (first + second) / 2
            z = ahead
        clean: Tensor = z * signals[-1]
        return clean
