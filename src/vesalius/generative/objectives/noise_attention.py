"""Restoration by a network that is told where the noise is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import L1, BinaryCrossEntropy, Dice, Loss, Losses
from vesalius.generative.losses.loss import given as given_images
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class NoiseAttention(Objective):
    """Two networks in a row (Xiang et al. 2020, NADRU).

    ``attention`` finds where the given image is more than ``threshold`` (model units) from the
    wanted one, learnt by ``attention_losses`` of its logits, a channel of the image each.
    ``network`` restores from what is given and that map's chances, and learns by ``losses``. The
    degraded image is the first channels of what is given. The map is held fixed while the second
    network learns, so that it stays a map of noise.
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L1(),),
        *,
        attention_losses: tuple[Loss, ...] = (Dice(), BinaryCrossEntropy()),
        threshold: float = 0.05,
    ) -> None:
        if not threshold > 0:
            raise InputError("a threshold above zero", came=threshold)
        self.losses = losses
        self.attention_losses = attention_losses
        self.threshold = threshold

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The map first, since the other reads it."""
        return {"attention": ("attention",), "network": ("network",)}

    def drawing(self) -> tuple[str, ...]:
        """Both."""
        return ("attention", "network")

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Given to a map of each wanted channel, and both to wanted."""
        return {
            "attention": Interface(given, wanted),
            "network": Interface(given + wanted, wanted),
        }

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Of the map, or of the image."""
        if player == "attention":
            logits: Tensor = networks["attention"](given_images(batch))
            return Losses(terms(self.attention_losses, logits, Batch(wanted=self._noisy(batch))))
        return Losses(terms(self.losses, self._restored(networks, batch), batch))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The restored image."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            return self._restored(networks, batch)

        return predict

    def _noisy(self, batch: Batch) -> Tensor:
        """One where the degraded image is off, ``(batch, wanted, *space)``."""
        truth, given = wanted(batch), given_images(batch)
        return ((given[:, : truth.shape[1]] - truth).abs() > self.threshold).to(truth.dtype)

    def _restored(self, networks: Networks, batch: Batch) -> Tensor:
        given = given_images(batch)
        with torch.no_grad():
            chance = torch.sigmoid(networks["attention"](given))
        out: Tensor = networks["network"](torch.cat([given, chance], dim=1))
        return out
