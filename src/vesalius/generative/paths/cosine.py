"""The variance-preserving path with a cosine schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.stratified import stratified


@dataclass(frozen=True)
class CosinePath(GaussianPath):
    """Variance preserving, on a quarter of a circle (Nichol & Dhariwal 2021, without its offset).

    signal = cos(pi t / 2), noise = sin(pi t / 2). Time one is kept a little short of pure noise
    (``last_angle``, in radians), so that every state still knows its image. Times to train at are
    uniform.
    """

    data_std: float = 1.0
    last_angle: float = math.pi / 2 - 1e-3

    def __post_init__(self) -> None:
        if not 0 < self.last_angle < math.pi / 2:
            raise InputError("an angle between 0 and pi/2", came=self.last_angle)

    def signal(self, time: Tensor) -> Tensor:
        """Cos."""
        return torch.cos(time * self.last_angle)

    def noise(self, time: Tensor) -> Tensor:
        """Sin."""
        return torch.sin(time * self.last_angle)

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Stratified uniform, so that a batch covers the path."""
        return stratified(n, rng)

    def times(self, steps: int) -> Tensor:
        """Evenly spaced."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)
