"""Residual blocks one behind the other at one resolution."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from vesalius.networks.residual_block import ResidualBlock


class ResidualStage(nn.Module):
    """``n_blocks`` of :class:`~vesalius.networks.residual_block.ResidualBlock` in a row."""

    def __init__(
        self,
        channels: int,
        dims: Literal[2, 3],
        n_blocks: int,
        *,
        level_features: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, dims, level_features=level_features, dropout=dropout)
            for _ in range(n_blocks)
        )

    def forward(self, x: Tensor, level_embedding: Tensor | None = None) -> Tensor:
        """Image and embedding ``(batch, level_features)`` to an image of the same shape."""
        for block in self.blocks:
            x = block(x, level_embedding)
        return x
