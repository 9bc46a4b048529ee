"""A generator against a critic that sees pairs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from vesalius.core.batch import Batch
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.guidance.guidance import Guidance, Scene, guided
from vesalius.generative.losses import L1, Loss, Losses
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.adversarial import (
    AdversarialKind,
    critic_features,
    generator_loss,
)
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class PairedAdversarial(Objective):
    """Conditional GAN (Isola et al. 2017, pix2pix): adversarial plus named losses to the truth.

    The critic sees (given, image) with ``critic_sees="pair"``, or the image alone. ``matching``
    weighs the L1 distance of the critic's features (Wang et al. 2018, pix2pixHD) and needs a
    critic with a method ``features``. ``r1`` (Mescheder et al. 2018) and ``gradient_penalty``
    (Gulrajani et al. 2017) weigh how steep the critic is in the image, as in those papers. Trained
    through ``guidance``, so a data-consistent generator is judged as it will draw.
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L1(100.0),),
        *,
        kind: AdversarialKind = "logistic",
        adversarial: float = 1.0,
        matching: float = 0.0,
        r1: float = 0.0,
        gradient_penalty: float = 0.0,
        critic_sees: Literal["pair", "image"] = "pair",
        conditioning: Conditioning | None = None,
        guidance: tuple[Guidance, ...] = (),
    ) -> None:
        self.losses = losses
        self.kind = kind
        self.adversarial = adversarial
        self.matching = matching
        self.r1 = r1
        self.gradient_penalty = gradient_penalty
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
            paid, _ = critic_terms(
                self.kind,
                lambda image: critic(self._seen(image, batch)),
                wanted(batch),
                carry["drawn"],
                rng,
                r1=self.r1,
                gradient_penalty=self.gradient_penalty,
            )
            return Losses(paid)
        scene = Scene(batch, networks, partial(self.predictor, networks))
        predict = guided(self.predictor(networks, batch), self.guidance, scene)
        predicted = predict(None, None)
        carry["drawn"] = predicted.detach()
        found = terms(self.losses, predicted, batch)
        seen = self._seen(predicted, batch)
        if self.matching > 0:
            drawn_features = critic_features(critic, seen)
            with torch.no_grad():
                real_features = critic_features(critic, self._seen(wanted(batch), batch))
            logits = drawn_features[-1]
            pairs = zip(drawn_features[:-1], real_features[:-1], strict=True)
            matched = torch.stack([l1_loss(drawn, real) for drawn, real in pairs]).mean()
            found["matching"] = (self.matching, matched)
        else:
            logits = critic(seen)
        found["adversarial"] = (self.adversarial, generator_loss(self.kind, logits))
        return Losses(found)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The generator on what is given."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            inside, condition = self.conditioning.arrange(None, batch)
            out: Tensor = networks["generator"](inside, condition=condition)
            return out

        return predict
