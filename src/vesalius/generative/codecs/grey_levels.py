"""Voxels as tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.codecs.token_codec import TokenCodec


@dataclass(frozen=True)
class GreyLevels(TokenCodec):
    """Each voxel of [-1, 1] is one of ``levels`` grey levels of equal width, and back its centre.

    Nothing is learnt. What lies outside [-1, 1] is of the first or last level, and within it an
    image comes back up to 1 / ``levels``. Images have one channel.
    """

    levels: int = 16

    def __post_init__(self) -> None:
        if self.levels < 2:
            raise InputError("two grey levels or more", came=self.levels)

    @property
    def kinds(self) -> int:
        """The levels."""
        return self.levels

    def encode(self, wanted: Tensor, batch: Batch) -> Tensor:
        """Image (batch, 1, *space) to tokens (batch, *space)."""
        if wanted.shape[1] != 1:
            raise InputError("images of one channel for grey levels", came=wanted.shape[1])
        level = torch.floor((wanted[:, 0] + 1) / 2 * self.levels)
        return level.clamp(0, self.levels - 1).long()

    def decode(self, code: Tensor, batch: Batch) -> Tensor:
        """Tokens to the centres of their levels, float32."""
        return ((2 * code.float() + 1) / self.levels - 1).unsqueeze(1)
