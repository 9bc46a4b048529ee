"""A generator against a critic that sees pairs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from vesalius.core.batch import Batch
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.guidance.guidance import Guidance, Scene, guided
from vesalius.generative.losses import L1, Loss, Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.adversarial import (
    AdversarialKind,
    critic_loss,
    generator_loss,
)
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


def _features(critic: nn.Module, image: Tensor) -> list[Tensor]:
    """The critic's feature maps, its logits last."""
    found: list[Tensor] = critic.features(image)  # type: ignore[operator]
    return found


class PairedAdversarial(Objective):
    """Conditional GAN (Isola et al. 2017, pix2pix): adversarial plus named losses to the truth.

    The critic sees (given, image) with ``critic_sees="pair"``, or the image alone. ``matching``
    weighs the L1 distance of the critic's features (Wang et al. 2018, pix2pixHD) and needs a
    critic with a method ``features``. Trained through ``guidance``, so a data-consistent generator
    is judged as it will draw.
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L1(100.0),),
        *,
        kind: AdversarialKind = "logistic",
        adversarial: float = 1.0,
        matching: float = 0.0,
        critic_sees: Literal["pair", "image"] = "pair",
        conditioning: Conditioning | None = None,
        guidance: tuple[Guidance, ...] = (),
    ) -> None:
        self.losses = losses
        self.kind = kind
        self.adversarial = adversarial
        self.matching = matching
        self.critic_sees = critic_sees
        self.conditioning = conditioning or Concatenation()
        self.guidance = guidance

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The generator first, so that the critic judges what it just drew."""
        return {"generator": ("generator",), "critic": ("critic",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Generator: given to wanted. Critic: what it sees to logits."""
        added, condition = self.conditioning.channels(given)
        seen = wanted + (given if self.critic_sees == "pair" else 0)
        return {"generator": Interface(added, wanted, condition), "critic": Interface(seen, 1)}

    def _seen(self, image: Tensor, batch: Batch) -> Tensor:
        if self.critic_sees == "image" or batch.given is None:
            return image
        return torch.cat([batch.given, image], dim=1)

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The generator's or the critic's."""
        critic = networks["critic"]
        if player == "critic":
            real = critic(self._seen(wanted(batch), batch))
            drawn = critic(self._seen(carry["drawn"], batch))
            return Losses({"critic": (1.0, critic_loss(self.kind, real, drawn))})
        scene = Scene(batch, networks, partial(self.predictor, networks))
        predict = guided(self.predictor(networks, batch), self.guidance, scene)
        predicted = predict(None, None)
        carry["drawn"] = predicted.detach()
        terms = {loss.name: (loss.weight, loss(predicted, batch)) for loss in self.losses}
        seen = self._seen(predicted, batch)
        if self.matching > 0:
            drawn_features = _features(critic, seen)
            with torch.no_grad():
                real_features = _features(critic, self._seen(wanted(batch), batch))
            logits = drawn_features[-1]
            pairs = zip(drawn_features[:-1], real_features[:-1], strict=True)
            matched = torch.stack([l1_loss(drawn, real) for drawn, real in pairs]).mean()
            terms["matching"] = (self.matching, matched)
        else:
            logits = critic(seen)
        terms["adversarial"] = (self.adversarial, generator_loss(self.kind, logits))
        return Losses(terms)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The generator on what is given."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            inside, condition = self.conditioning.arrange(None, batch)
            out: Tensor = networks["generator"](inside, condition=condition)
            return out

        return predict
