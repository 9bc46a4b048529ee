"""Pairs of neighbouring noise levels that consistency is learnt between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.stratified import stratified
from vesalius.generative.paths.time_of_ratio import time_of_ratio

Emphasis = Literal["even", "log-normal"]


@dataclass(frozen=True)
class AdjacentLevels:
    """Intervals of a path's times down to its smallest level, more and more of them.

    ``start_steps`` intervals double again and again, for equal parts of the budget, up to
    ``end_steps`` (Song & Dhariwal 2024, section 3.4). ``smallest`` is the ratio of noise to signal
    of images, noise / (signal data_std), at which an image counts as clean. Intervals are drawn
    ``"even"``-ly and weigh alike, so that the sum of all errors along a path is learnt to be small,
    or ``"log-normal"``-ly with the weight 1 / (difference of noise levels), both as in section 3.5
    there, for noise levels in units of two ``data_std``.
    """

    path: GaussianPath
    start_steps: int
    end_steps: int
    smallest: float = 0.004
    emphasis: Emphasis = "even"
    log_mean: float = -1.1
    log_std: float = 2.0

    def __post_init__(self) -> None:
        if not 2 <= self.start_steps <= self.end_steps:
            raise InputError(
                "2 <= start_steps <= end_steps", came=f"{self.start_steps} and {self.end_steps}"
            )
        if not 0 < self.smallest < 1:
            raise InputError("a smallest level between 0 and 1", came=self.smallest)

    def steps(self, done: float) -> int:
        """Intervals once the part ``done`` of the budget is spent."""
        doublings = math.log2(self.end_steps / self.start_steps)
        return min(self.start_steps << int(done * (doublings + 1)), self.end_steps)

    @cached_property
    def last(self) -> Tensor:
        """The time of the smallest level; a scalar, float64."""
        level = torch.tensor(self.smallest * self.path.data_std, dtype=torch.float64)
        return time_of_ratio(self.path, level)

    def times(self, steps: int) -> Tensor:
        """At most ``steps`` + 1 falling times, from one to that of the smallest level; float64."""
        last, times = self.last, self.path.times(steps)
        above = self.path.ratio(times) > 1.001 * self.path.ratio(last)
        return torch.cat([times[above], last[None]])

    def draw(self, n: int, steps: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Times above and below, and weights; each (n,), float32, on the generator's device."""
        times = self.times(steps)
        levels = self.path.ratio(times) / (2 * self.path.data_std)
        gaps = levels[:-1] - levels[1:]
        if self.emphasis == "even":
            place = (stratified(n, rng) * len(gaps)).long().clamp_max(len(gaps) - 1).cpu()
            weights = torch.ones(n, dtype=torch.float64)
        else:
            below = torch.erf((levels.log() - self.log_mean) / (math.sqrt(2) * self.log_std))
            shares = (below[:-1] - below[1:]).to(rng.device)
            place = torch.multinomial(shares, n, replacement=True, generator=rng).cpu()
            weights = 1 / gaps[place]
        found = (times[place], times[place + 1], weights)
        above, lower, weights = (values.to(rng.device, torch.float32) for values in found)
        return above, lower, weights
