"""One minus soft Dice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.probabilities import probabilities


def soft_dice(chance: Tensor, truth: Tensor, smoothing: float) -> Tensor:
    """(2 sum pw + smoothing) / (sum p + sum w + smoothing) over space, ``(batch, class)``."""
    space = tuple(range(2, truth.ndim))
    overlap, total = (chance * truth).sum(dim=space), (chance + truth).sum(dim=space)
    return (2 * overlap + smoothing) / (total + smoothing)


@dataclass(frozen=True)
class Dice(Loss):
    """1 - mean over cases and classes of soft Dice; 0 to 1, no unit.

    ``predicted`` holds logits ``(batch, class, *space)``. Several classes exclude one another
    (softmax) and the first is background, which does not count; one class is yes or no (sigmoid).
    ``smoothing`` in voxels: where a class is absent and not predicted either, its Dice is one.
    Milletari et al. 2016, arXiv:1606.04797, with sums of p as Isensee et al. 2021 have it.
    """

    weight: float = 1.0
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if not self.smoothing > 0:
            raise InputError("a smoothing above zero", came=self.smoothing)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 1."""
        truth = probabilities(predicted, batch)
        if truth.shape[1] == 1:
            return 1 - soft_dice(torch.sigmoid(predicted), truth, self.smoothing).mean()
        chance = predicted.softmax(dim=1)
        return 1 - soft_dice(chance[:, 1:], truth[:, 1:], self.smoothing).mean()
