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
    """The control of every study: the wanted image at once. Trained through ``guidance``.

    With ``twofold`` losses the network says more than the image: as many channels again, which are
    log variances for :class:`~vesalius.generative.losses.GaussianLikelihood` and logits of
    confidence for :class:`~vesalius.generative.losses.ConfidenceMap`. These losses see both, the
    others and what is drawn the image alone.
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L1(),),
        *,
        twofold: tuple[Loss, ...] = (),
        conditioning: Conditioning | None = None,
        guidance: tuple[Guidance, ...] = (),
    ) -> None:
        self.losses = losses
        self.twofold = twofold
        self.conditioning = conditioning or Concatenation()
        self.guidance = guidance

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Given to wanted, and to as much again for twofold losses."""
        added, condition = self.conditioning.channels(given)
        maps = 2 if self.twofold else 1
        return {"network": Interface(added, maps * wanted, condition)}

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
        out = self._out(networks, batch)
        predict = guided(lambda x, time: self._image(out), self.guidance, scene)
        predicted = predict(None, None)
        found = terms(self.losses, predicted, batch)
        if self.twofold:
            both = torch.cat([predicted, out[:, predicted.shape[1] :]], dim=1)
            found |= terms(self.twofold, both, batch, beside=found)
        return Losses(found)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The network on what is given."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            return self._image(self._out(networks, batch))

        return predict

    def _out(self, networks: Networks, batch: Batch) -> Tensor:
        inside, condition = self.conditioning.arrange(None, batch)
        out: Tensor = networks["network"](inside, condition=condition)
        return out

    def _image(self, out: Tensor) -> Tensor:
        return out[:, : out.shape[1] // 2] if self.twofold else out
