"""White noise on an image."""

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
class GaussianNoise(Degradation):
    """``y = x + std n``: independent normal noise in every voxel, ``std`` in the image's unit."""

    std: float = 25.0

    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """``noise_seed``."""
        if self.std < 0:
            raise InputError("a standard deviation of 0 or more", came=self.std)
        return {"noise_seed": int(rng.integers(2**31))}

    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, Identity]:
        """Noisy image ``(channel, *space)`` and the identity."""
        generator = torch.Generator().manual_seed(record["noise_seed"])
        noise = torch.randn(x.shape, generator=generator).to(x)
        return x + self.std * noise, Identity(tuple(x.shape))
