"""Straight lines from noise to images: rectified flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.stratified import stratified


@dataclass(frozen=True)
class FlowPath(GaussianPath):
    """Straight lines from noise to images: rectified flow (Liu et al. 2023; Lipman et al. 2023).

    signal = 1 - s, noise = s with s = ``last`` t. ``last`` is kept a little short of pure noise, so
    that every state still knows its image. Times to train at are uniform or, with
    ``training="logit-normal"``, those of Esser et al. 2024.
    """

    data_std: float = 1.0
    last: float = 0.999
    training: Literal["uniform", "logit-normal"] = "uniform"

    def __post_init__(self) -> None:
        if not 0 < self.last < 1:
            raise InputError("a last level between 0 and 1", came=self.last)

    def signal(self, time: Tensor) -> Tensor:
        """Falls in a straight line."""
        return 1 - self.last * time

    def noise(self, time: Tensor) -> Tensor:
        """Rises in a straight line."""
        return self.last * time

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Uniform, or the logistic function of standard normal numbers."""
        if self.training == "uniform":
            return stratified(n, rng)
        return torch.randn(n, generator=rng, device=rng.device).sigmoid()

    def times(self, steps: int) -> Tensor:
        """Evenly spaced."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
