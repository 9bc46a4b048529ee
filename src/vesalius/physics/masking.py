"""Voxels that are known and voxels that are not."""

# ruff: noqa: D102  (an override is documented where it is declared)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.operator import LinearOperator, TensorSpace


@final
@dataclass(frozen=True, eq=False)
class Masking(LinearOperator):
    """``x -> known x``; ``known`` is ``(batch, 1, *space)`` bool. A projection, its own adjoint."""

    known: Tensor
    channels: int = 1

    @property
    def domain(self) -> TensorSpace:
        shape = (self.channels, *self.known.shape[2:])
        return TensorSpace(shape, batch=int(self.known.shape[0]))

    @property
    def codomain(self) -> TensorSpace:
        return self.domain

    def _forward(self, x: Tensor) -> Tensor:
        return x * self.known

    def _adjoint(self, y: Tensor) -> Tensor:
        return y * self.known

    def _gram(self, x: Tensor) -> Tensor:
        return x * self.known

    def take(self, cases: Sequence[int] | Tensor) -> Masking:
        index = torch.as_tensor(cases, dtype=torch.long, device=self.known.device)
        return Masking(self.known[index], self.channels)

    @classmethod
    def collate(cls, operators: Sequence[Masking]) -> Masking:
        shapes = {(each.channels, *each.known.shape[1:]) for each in operators}
        if len(shapes) > 1:
            raise InputError("masks of one size", came=str(sorted(shapes)))
        return Masking(torch.cat([each.known for each in operators]), operators[0].channels)

    def to(self, device: torch.device | str) -> Masking:
        return Masking(self.known.to(device), self.channels)
