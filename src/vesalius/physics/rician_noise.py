"""Noise of magnitude MR images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.degradation import Degradation, DrawnRecord
from vesalius.physics.operator import Identity


@final
@dataclass(frozen=True)
class RicianNoise(Degradation):
    """``y = |x + std (n_1 + i n_2)|``: normal noise in both parts of a complex image.

    ``std`` is in the image's unit. Where there is no signal the noise is Rayleigh distributed with
    mean ``std sqrt(pi / 2)``; ``y^2`` has mean ``x^2 + 2 std^2``.

    Reference: Gudbjartsson and Patz, Magn Reson Med 34:910, 1995.
    """

    std: float = 10.0

    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """``noise_seed``."""
        if self.std < 0:
            raise InputError("a standard deviation of 0 or more", came=self.std)
        return {"noise_seed": int(rng.integers(2**31))}

    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, Identity]:
        """Noisy magnitude ``(channel, *space)``; its operator is the identity."""
        generator = torch.Generator().manual_seed(record["noise_seed"])
        real, imaginary = (torch.randn(x.shape, generator=generator).to(x) for _ in range(2))
        noisy = torch.hypot(x + self.std * real, self.std * imaginary)
        return noisy, Identity(tuple(x.shape))
