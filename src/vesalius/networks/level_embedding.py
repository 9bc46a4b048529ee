"""One real number a case as features that a network can use."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LevelEmbedding(nn.Module):
    """Sines and cosines of a level at many frequencies, then two linear layers.

    The frequencies are evenly spaced in logarithm from 1/1024 to 16 cycles per unit, so that a time
    in [0, 1], a logarithm of a noise level, and a step number up to a thousand are all told apart.
    ``forward`` takes (batch,) and returns (batch, features).

    Reference: Tancik et al., Fourier features let networks learn high frequency functions in low
    dimensional domains, NeurIPS 2020, arXiv:2006.10739.
    """

    frequencies: Tensor

    def __init__(self, features: int, *, n_frequencies: int = 32) -> None:
        super().__init__()
        cycles = torch.logspace(-10, 4, n_frequencies, base=2.0)
        self.register_buffer("frequencies", 2 * math.pi * cycles, persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * n_frequencies, features),
            nn.SiLU(),
            nn.Linear(features, features),
            nn.SiLU(),
        )

    def forward(self, level: Tensor) -> Tensor:
        """(batch,) to (batch, features)."""
        angle = level.to(self.frequencies.dtype)[:, None] * self.frequencies
        embedded: Tensor = self.layers(torch.cat([angle.sin(), angle.cos()], dim=1))
        return embedded
