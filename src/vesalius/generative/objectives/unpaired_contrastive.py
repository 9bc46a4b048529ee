"""One generator, one critic, and places that know where they were."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.adversarial import (
    AdversarialKind,
    critic_features,
    critic_loss,
    generator_loss,
)
from vesalius.generative.objectives.info_nce import info_nce
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class UnpairedContrastive(Objective):
    """CUT (Park et al. 2020): unpaired translation one way, with InfoNCE of places for a cycle.

    The generator's own features of a drawn image at a place are to tell the place in the given
    image that it was drawn from among others of that image (PatchNCE, their equation 5; also of a
    wanted image and what the generator makes of it, their identity loss). The generator has a
    method ``features``, and ``"projection"`` turns features of places into vectors of length one.
    Within a batch, wanted images are moved on by one case, as in :class:`UnpairedCycle`.

    Parameters
    ----------
    kind:
        What the critic's logits cost.
    contrastive, identity:
        Weights of PatchNCE of given and of wanted images (1 and 1 for CUT; 10 and 0, FastCUT).
    places:
        Places compared in an image, at most; drawn for every feature map.
    temperature:
        Of the products of vectors.
    """

    def __init__(
        self,
        *,
        kind: AdversarialKind = "least-squares",
        contrastive: float = 1.0,
        identity: float = 1.0,
        places: int = 256,
        temperature: float = 0.07,
    ) -> None:
        if places < 2 or not temperature > 0:
            raise InputError(
                "two places or more and a temperature above zero",
                came=f"{places} and {temperature}",
            )
        self.kind = kind
        self.contrastive = contrastive
        self.identity = identity
        self.places = places
        self.temperature = temperature

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Generator and projection play together, then the critic."""
        return {"generator": ("generator", "projection"), "critic": ("critic",)}

    def drawing(self) -> tuple[str, ...]:
        """The generator alone."""
        return ("generator",)

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Given to wanted; drawn images are looked at as given ones are."""
        if given != wanted:
            raise InputError(
                "as many channels given as wanted, to find places again",
                came=f"{given} and {wanted}",
                remedy="choose another task, or the recipe cyclegan",
            )
        return {
            "generator": Interface(given, wanted),
            "projection": Interface(given, wanted),
            "critic": Interface(wanted, 1),
        }

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The generator's or the critic's."""
        if batch.given is None or batch.size < 2:
            raise InputError(
                "given images and at least two cases in a batch",
                came=f"{batch.size} cases",
                remedy="set budget.batch_size=2 or more",
            )
        given, real = batch.given, wanted(batch).roll(1, dims=0)
        generator, critic = networks["generator"], networks["critic"]
        if player == "critic":
            drawn = critic(carry["drawn"])
            return Losses({"critic": (1.0, critic_loss(self.kind, critic(real), drawn))})
        drawn = generator(given)
        carry["drawn"] = drawn.detach()
        terms = {
            "adversarial": (1.0, generator_loss(self.kind, critic(drawn))),
            "contrastive": (self.contrastive, self.patch_nce(networks, given, drawn, rng)),
        }
        if self.identity > 0:
            same = self.patch_nce(networks, real, generator(real), rng)
            terms["identity"] = (self.identity, same)
        return Losses(terms)

    def patch_nce(
        self, networks: Networks, image: Tensor, drawn: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Mean over feature maps of InfoNCE among places of the same image; in nats."""
        generator, projection = networks["generator"], networks["projection"]
        asked, known = critic_features(generator, drawn), critic_features(generator, image)
        chosen = [_chosen(feature, self.places, rng) for feature in known]
        queries = projection(_at(asked, chosen))
        keys = projection(_at(known, chosen))
        found = [
            info_nce(query @ key.detach().transpose(1, 2) / self.temperature, symmetric=False)
            for query, key in zip(queries, keys, strict=True)
        ]
        return torch.stack(found).mean()

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The generator on what is given."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            if batch.given is None:
                raise InputError("given images to translate", came="none")
            out: Tensor = networks["generator"](batch.given)
            return out

        return predict


def _chosen(feature: Tensor, places: int, rng: torch.Generator) -> Tensor:
    """Indices of at most so many places of a feature map."""
    n = feature[0, 0].numel()
    return torch.randperm(n, generator=rng, device=rng.device)[:places]


def _at(features: list[Tensor], chosen: list[Tensor]) -> list[Tensor]:
    """Features (batch, places, channels) at the chosen places."""
    pairs = zip(features, chosen, strict=True)
    return [feature.flatten(2)[:, :, places].transpose(1, 2) for feature, places in pairs]
