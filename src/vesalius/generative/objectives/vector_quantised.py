"""An autoencoder whose codes are tokens, and a prior of the tokens."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.code_grid import code_grid, cropped, reduction_of
from vesalius.generative.losses import L2, Loss, Losses
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.next_token import NextToken
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.quantised_autoencoder import (
    quantised_reconstruction,
    require_codebook,
)
from vesalius.generative.objectives.token_model import TokenModel
from vesalius.generative.predictor import Predictor


class VectorQuantised(Objective):
    """VQ-VAE (van den Oord et al. 2017): an autoencoder, then a prior of its tokens, in one run.

    In the first ``share`` of the budget encoder and decoder learn by ``losses`` of the
    reconstruction and ``commitment`` times the distance of features to their vectors, while the
    codebook follows the features without gradient. From then on they stand still and the prior
    learns their tokens, as in the paper; what is given conditions the prior alone. With a ``share``
    of 0 the autoencoder stands still from the start: ``starts`` take ``encoder``, ``decoder`` and
    ``codebook`` from the run of another recipe, as VQGAN's prior does (Esser et al. 2021).

    Networks: ``encoder`` and ``decoder`` with an attribute ``reduction``, a ``codebook`` of
    ``codes`` vectors of ``features``, with ``update`` and ``look_up``, and a ``prior`` from tokens
    to logits. The log has the ``perplexity`` of each batch's tokens: how many codes are in use.
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L2(),),
        *,
        prior: TokenModel | None = None,
        features: int = 8,
        codes: int = 256,
        commitment: float = 0.25,
        share: float = 0.5,
    ) -> None:
        if not 0 <= share < 1:
            raise InputError("a share of the budget from 0 to below 1", came=share)
        self.losses = losses
        self.prior = prior or NextToken()
        self.features = features
        self.codes = codes
        self.commitment = commitment
        self.share = share

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where sampler or path do not fit the prior, or codebooks differ."""
        prior = arguments.get("prior")
        kind = prior.target if isinstance(prior, Call) else NextToken
        if not (isinstance(kind, type) and issubclass(kind, TokenModel)):
            raise InputError("a prior of tokens: NextToken or MaskedToken", came=prior)
        kind.check_parts(recipe)
        require_codebook(cls, arguments, recipe)
        missing = [name for name in ("encoder", "decoder", "codebook") if name not in recipe.starts]
        if arguments.get("share") == 0 and missing:
            raise InputError(
                "an autoencoder to start from, where objective.share is 0",
                came=f"none for {', '.join(missing)}",
                remedy="add it to starts, or set objective.share above 0",
            )

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One rests while the other plays."""
        return {"autoencoder": ("encoder", "decoder"), "prior": ("prior",)}

    def frozen(self) -> tuple[str, ...]:
        """The codebook learns by itself."""
        return ("codebook",)

    def drawing(self) -> tuple[str, ...]:
        """All but the encoder."""
        return ("decoder", "codebook", "prior")

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Image to features, features to image, tokens to logits."""
        return {
            "encoder": Interface(wanted, self.features),
            "decoder": Interface(self.features, wanted),
            "codebook": Interface(self.features, self.features),
            "prior": self.prior.interface(self.codes, given),
        }

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The autoencoder's at first, then the prior's."""
        resting = "prior" if float(carry["done"]) < self.share else "autoencoder"
        if player == resting:
            return Losses({})
        if player == "autoencoder":
            return self._autoencoder_loss(networks, batch, rng)
        with torch.no_grad():
            tokens: Tensor = networks["codebook"](networks["encoder"](wanted(batch)))[1]
        return self.prior.token_loss(networks["prior"], tokens, self.codes, batch, rng)

    def _autoencoder_loss(self, networks: Networks, batch: Batch, rng: torch.Generator) -> Losses:
        drawn, code = quantised_reconstruction(networks, wanted(batch), self.commitment, rng)
        return Losses(terms(self.losses, drawn, batch) | code)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The prior's."""
        return self.prior.token_predictor(networks["prior"], self.codes, batch)

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One token a place of the grid."""
        return (shape[0], *code_grid(shape[2:], reduction_of(networks["decoder"])))

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """The decoder on the vectors of the tokens."""
        vectors = networks["codebook"].look_up(code)  # type: ignore[operator]
        return cropped(networks["decoder"](vectors), space)
