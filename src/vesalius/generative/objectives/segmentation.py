"""Images to label maps: the judge's own training, and downstream value."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class Segmentation(Objective):
    """Cross-entropy plus soft Dice over classes, background first (Isensee et al. 2021).

    ``wanted`` is one-hot, (batch, class, *space).
    """

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
        """Both terms, weighted alike."""
        truth = wanted(batch)
        logits: Tensor = networks["network"](batch.given)
        chance = logits.softmax(dim=1)
        space = tuple(range(2, truth.ndim))
        overlap = (chance * truth).sum(dim=space)[:, 1:]
        total = (chance + truth).sum(dim=space)[:, 1:]
        dice = 1 - ((2 * overlap + 1) / (total + 1)).mean()
        return Losses({"dice": (1.0, dice), "cross_entropy": (1.0, cross_entropy(logits, truth))})

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Class probabilities."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            if batch.given is None:
                raise InputError("an image to segment", came="none")
            logits: Tensor = networks["network"](batch.given)
            return logits.softmax(dim=1)

        return predict
