"""A learnt temperature."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LogitScale(nn.Module):
    """exp(log_scale) times what it is given, plus a bias; the scale is held at 100 or below.

    CLIP (Radford et al. 2021, arXiv:2103.00020) begins at 1 / 0.07 with no bias, SigLIP (Zhai et
    al. 2023, arXiv:2303.15343) at 10 with a bias of -10.
    """

    def __init__(self, *, scale: float = 1 / 0.07, bias: float = 0.0) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, likeness: Tensor) -> Tensor:
        """Any shape to the same."""
        return self.log_scale.exp().clamp(max=100.0) * likeness + self.bias
