"""Images to classes: the judge's own training, and downstream value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.answer import Answer
from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import CrossEntropy, Loss, Losses
from vesalius.generative.losses.loss import terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class Classification(Objective):
    """Named losses of logits, cross-entropy; ``wanted`` is one-hot or soft, (batch, class)."""

    answers: ClassVar[tuple[Answer, ...]] = ("class",)

    def __init__(self, losses: tuple[Loss, ...] = (CrossEntropy(),)) -> None:
        self.losses = losses

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Image to one logit a class."""
        return {"network": Interface(given, wanted)}

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The named losses."""
        logits: Tensor = networks["network"](batch.given)
        return Losses(terms(self.losses, logits, batch))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Class probabilities."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            if batch.given is None:
                raise InputError("an image to classify", came="none")
            logits: Tensor = networks["network"](batch.given)
            return logits.softmax(dim=1)

        return predict
