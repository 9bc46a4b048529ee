"""What a frozen segmenter finds in an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.dice import soft_dice
from vesalius.generative.losses.frozen_network import frozen_network
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class ShapeConsistency(Loss):
    """1 - soft Dice, or mean absolute difference, of class maps of predicted and known; 0 to 1.

    ``segmenter`` is a TorchScript file that takes images ``(batch, channel, *space)`` in model
    units and returns logits ``(batch, class, *space)``, background first; one class is yes or no.
    What is known: the segmenter's own map of the wanted or of the given image, or "labels": one-hot
    ``batch.extras["labels"]`` (an anatomy that was asked for; Guo et al. 2021, CG-SAMR). The
    difference of maps is what a vessel-guided Real-ESRGAN (2024) takes.
    """

    weight: float = 1.0
    segmenter: str = field(kw_only=True)
    against: Literal["wanted", "given", "labels"] = "wanted"
    distance: Literal["dice", "l1"] = "dice"
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if not self.smoothing > 0:
            raise InputError("a smoothing above zero", came=self.smoothing)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 1. Raises InputError where the file or what is known is missing."""
        chance = self._classes(predicted)
        if self.against == "labels":
            if "labels" not in batch.extras:
                raise InputError("'labels' among the batch's extras", came=list(batch.extras))
            known = batch.extras["labels"].to(chance.dtype)
        else:
            with torch.no_grad():
                known = self._classes(reference(predicted, batch, self.against))
        if known.shape != chance.shape:
            raise InputError(
                f"labels of the segmenter's shape {tuple(chance.shape)}",
                came=f"shape {tuple(known.shape)}",
            )
        first = 1 if chance.shape[1] > 1 else 0
        if self.distance == "l1":
            return (chance - known)[:, first:].abs().mean()
        return 1 - soft_dice(chance[:, first:], known[:, first:], self.smoothing).mean()

    def _classes(self, images: Tensor) -> Tensor:
        logits: Tensor = frozen_network(self.segmenter).to(images)(images)
        return logits.softmax(dim=1) if logits.shape[1] > 1 else logits.sigmoid()
