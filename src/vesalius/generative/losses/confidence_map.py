"""An error that the network may say it expects, at a price."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import logsigmoid

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class ConfidenceMap(Loss):
    """Mean of C |image - wanted| - price log C, in model units; zero best.

    ``predicted`` is ``(batch, 2 channels, *space)``: images, then logits of their confidence C from
    0 to 1. Guo et al. 2021, CG-SAMR, PMC8493492 (price 0.1).
    """

    weight: float = 1.0
    price: float = 0.1

    def __post_init__(self) -> None:
        if not self.price > 0:
            raise InputError("a price above zero", came=self.price)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        if predicted.shape[1] % 2:
            raise InputError(
                "images and as many confidence maps", came=f"{predicted.shape[1]} channels"
            )
        images, logits = predicted.chunk(2, dim=1)
        error = (images - reference(images, batch)).abs()
        return (logits.sigmoid() * error - self.price * logsigmoid(logits)).mean()
