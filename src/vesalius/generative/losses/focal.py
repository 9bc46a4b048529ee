"""Cross-entropy that leaves aside what is already right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.probabilities import probabilities


@dataclass(frozen=True)
class Focal(Loss):
    """Mean of -balance_t (1 - p_t)^focus log p_t over voxels and channels, in nats.

    p_t = sigmoid(predicted) where wanted is 1, else one minus it; each channel is yes or no, as in
    Lin et al., ICCV 2017, arXiv:1708.02002, equation 5. ``balance`` weighs wanted ones, one minus
    it wanted zeros; None weighs both by one. Focus 0 without balance is BinaryCrossEntropy.
    """

    weight: float = 1.0
    focus: float = 2.0
    balance: float | None = 0.25

    def __post_init__(self) -> None:
        if not self.focus >= 0 or not (self.balance is None or 0 <= self.balance <= 1):
            raise InputError(
                "a focus of zero or more and a balance from 0 to 1 or None",
                came=f"{self.focus} and {self.balance}",
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        truth = probabilities(predicted, batch)
        entropy = functional.binary_cross_entropy_with_logits(predicted, truth, reduction="none")
        chance = torch.sigmoid(predicted)
        wrong = chance * (1 - truth) + (1 - chance) * truth
        focused = wrong**self.focus * entropy
        if self.balance is not None:
            focused = (self.balance * truth + (1 - self.balance) * (1 - truth)) * focused
        return focused.mean()
