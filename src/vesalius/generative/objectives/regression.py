"""One network, one prediction, a weighted sum of losses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.guidance.guidance import Guidance, Scene, guided
from vesalius.generative.losses import L1, Loss, Losses
from vesalius.generative.losses.loss import terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class Regression(Objective):
    """The control of every study: the wanted image at once. Trained through ``guidance``."""

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L1(),),
        *,
        conditioning: Conditioning | None = None,
        guidance: tuple[Guidance, ...] = (),
    ) -> None:
        self.losses = losses
        self.conditioning = conditioning or Concatenation()
        self.guidance = guidance

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Given to wanted."""
        added, condition = self.conditioning.channels(given)
        return {"network": Interface(added, wanted, condition)}

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The named losses of the guided prediction."""
        scene = Scene(batch, networks, partial(self.predictor, networks))
        predict = guided(self.predictor(networks, batch), self.guidance, scene)
        predicted = predict(None, None)
        return Losses(terms(self.losses, predicted, batch))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The network on what is given."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            inside, condition = self.conditioning.arrange(None, batch)
            out: Tensor = networks["network"](inside, condition=condition)
            return out

        return predict
