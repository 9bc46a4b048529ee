"""What a frozen network concludes from an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.frozen_network import frozen_network
from vesalius.generative.losses.loss import Loss


@dataclass(frozen=True)
class TaskRegression(Loss):
    """Error of a frozen network's answer about the predicted image against ``batch.extras[label]``.

    ``network`` is a TorchScript file that takes images ``(batch, channel, *space)`` in model units
    and returns ``(batch, answer)``; the label has that shape. "squared": mean squared error, in the
    label's unit squared. "binary": cross-entropy of logits with labels from 0 to 1, in nats.
    Ouyang et al., Task-GAN, MLMIR 2019 (amyloid status).
    """

    weight: float = 1.0
    network: str = field(kw_only=True)
    label: str = "status"
    error: Literal["squared", "binary"] = "binary"

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0. Raises InputError where the file or the label is missing."""
        if self.label not in batch.extras:
            raise InputError(f"'{self.label}' among the batch's extras", came=list(batch.extras))
        known = batch.extras[self.label].to(predicted.dtype)
        answer: Tensor = frozen_network(self.network).to(predicted)(predicted)
        if answer.shape != known.shape:
            raise InputError(
                f"'{self.label}' of the answer's shape {tuple(answer.shape)}",
                came=f"shape {tuple(known.shape)}",
            )
        if self.error == "squared":
            return functional.mse_loss(answer, known)
        return functional.binary_cross_entropy_with_logits(answer, known)
