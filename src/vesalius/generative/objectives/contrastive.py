"""Embeddings of given and wanted images that know their partners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.conditioning import require_texts
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.info_nce import info_nce, information, sigmoid_pairs
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class Contrastive(Objective):
    """CLIP and SigLIP between images: a case's own wanted image among those of others.

    ``"given_encoder"`` and ``"wanted_encoder"`` return vectors of length one of ``features``
    numbers, and ``"scale"`` turns their products into logits, with a learnt temperature and bias
    (or :attr:`fixed_scale` times them where that is set, without such a network). It compares and
    does not draw: :func:`retrieved` finds the wanted images most like a given one.

    With ``given`` "text", what is compared with images is their texts: "given_encoder" takes tokens
    of ``kinds``, which the run tells, and returns features at each token, zero after a text's end;
    their sum's direction stands for the text.
    """

    draws: ClassVar[bool] = False

    def __init__(
        self,
        *,
        kind: Literal["clip", "siglip"] = "clip",
        features: int = 64,
        fixed_scale: float | None = None,
        given: Literal["image", "text"] = "image",
        kinds: int = 0,
    ) -> None:
        self.kind = kind
        self.given = given
        self.kinds = kinds
        self.features = features
        self.fixed_scale = fixed_scale

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One, of all networks."""
        scale = () if self.fixed_scale is not None else ("scale",)
        return {"encoders": ("given_encoder", "wanted_encoder", *scale)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Images to vectors; tokens to features."""
        taken = given if self.given == "image" else require_texts(self.kinds)
        found = {
            "given_encoder": Interface(taken, self.features),
            "wanted_encoder": Interface(wanted, self.features),
        }
        return found if self.fixed_scale is not None else {**found, "scale": Interface(1, 1)}

    def logits(self, networks: Networks, given: Tensor, wanted: Tensor) -> Tensor:
        """How alike all pairs of images, or tokens, and images are, (given, wanted)."""
        rows = directions(networks["given_encoder"](given))
        likeness: Tensor = rows @ networks["wanted_encoder"](wanted).T
        if self.fixed_scale is not None:
            return self.fixed_scale * likeness
        scaled: Tensor = networks["scale"](likeness)
        return scaled

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Among the cases of the batch; ``information`` in nats is logged and weighs nothing."""
        given = batch.given if self.given == "image" else batch.extras.get("tokens")
        if given is None or batch.size < 2:
            raise InputError(
                f"given {self.given}s and at least two cases in a batch",
                came=f"{batch.size} cases" if given is not None else "none",
                remedy="set budget.batch_size=2 or more, or choose another task",
            )
        logits = self.logits(networks, given, wanted(batch))
        paid = info_nce(logits) if self.kind == "clip" else sigmoid_pairs(logits)
        bound = information(info_nce(logits.detach()), batch.size)
        return Losses({self.kind: (1.0, paid), "information": (0.0, torch.tensor(bound))})

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Refused: nothing is drawn."""
        raise InputError(
            "an objective that draws",
            came="Contrastive, which compares",
            remedy="start another recipe from its encoders",
        )


def directions(features: Tensor) -> Tensor:
    """Vectors (batch, feature) of length one; of features at places, their sum's direction."""
    if features.ndim == 2:
        return features
    return functional.normalize(features.flatten(2).sum(dim=2), dim=1)


@torch.no_grad()
def retrieved(networks: Networks, given: Tensor, gallery: Tensor, n: int = 1) -> Tensor:
    """Places in ``gallery``, wanted images, of the ``n`` most like each given one; (given, n).

    Given are images, or tokens of texts.
    """
    rows = directions(networks["given_encoder"](given))
    columns = networks["wanted_encoder"](gallery)
    places: Tensor = (rows @ columns.T).topk(n, dim=1).indices
    return places
