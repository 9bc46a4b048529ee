"""How far predicted displacements point away from true ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.field import require_field
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class AngleError(Loss):
    """1 - each case's sum <predicted, wanted> / sum |predicted| |wanted|, averaged; 0 to 2.

    Both are ``(batch, axis, *space)``; vectors count by their lengths, so what does not move has no
    direction to miss. ``floor`` (squared voxels, a mean) is added to both sums: fields at rest
    agree. Zheng et al. 2024, DRDM, arXiv:2407.07295.
    """

    weight: float = 1.0
    floor: float = 1e-6

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 2."""
        require_field(predicted)
        truth = reference(predicted, batch)
        inner = (predicted * truth).sum(dim=1).flatten(1).mean(dim=1) + self.floor
        lengths: Tensor = torch.linalg.vector_norm(predicted, dim=1)
        lengths = lengths * torch.linalg.vector_norm(truth, dim=1)
        return 1 - (inner / (lengths.flatten(1).mean(dim=1) + self.floor)).mean()
