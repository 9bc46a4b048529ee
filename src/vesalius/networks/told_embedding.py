"""What a case is told, its level and its condition, as one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.image_network import average_over_space
from vesalius.networks.level_embedding import LevelEmbedding


class ToldEmbedding(nn.Module):
    """The level's features, and one linear layer of the condition averaged over space, added.

    A class that comes as constant channels is so a class embedding. What is not taken is left out;
    with neither, it is a constant that is learnt.
    """

    def __init__(self, features: int, *, takes_level: bool, condition_channels: int) -> None:
        super().__init__()
        self.level = LevelEmbedding(features) if takes_level else None
        self.condition = nn.Linear(condition_channels, features) if condition_channels else None
        tells = takes_level or condition_channels > 0
        self.constant = None if tells else nn.Parameter(torch.randn(features))

    def forward(self, batch: int, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """Level (batch,) and condition ``(batch, channels, *space)`` to (batch, features)."""
        if self.constant is not None:
            return self.constant.expand(batch, -1)
        parts: list[Tensor] = []
        if self.level is not None:
            parts.append(self.level(level))
        if self.condition is not None:
            assert condition is not None
            parts.append(functional.silu(self.condition(average_over_space(condition))))
        return torch.stack(parts).sum(0)
