"""Learn the tokens that are hidden from those that show."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vesalius.core.batch import Batch
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.objectives.token_model import TokenModel, require_causal
from vesalius.generative.paths.absorbing import AbsorbingPath
from vesalius.generative.paths.path import expand
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler
from vesalius.generative.samplers.unmasking import Unmasking


class MaskedToken(TokenModel):
    """Cross-entropy of hidden tokens at a random time of the absorbing path.

    ``weighting="hidden"`` is the mean over the hidden tokens of a batch (Chang et al. 2022,
    MaskGIT). ``"bound"`` weighs them by the path's :meth:`~AbsorbingPath.bound_weight` over all
    tokens: its expectation, in the log as ``bits``, is an upper bound on the bits that a token
    costs, which the exact conditional probabilities attain (Austin et al. 2021; Sahoo et al. 2024).
    The network sees tokens from 0 to ``kinds``, of which the last stands for hidden, and no time:
    how many are hidden says it.
    """

    drawn_by: ClassVar[type[Sampler]] = Unmasking

    def __init__(
        self,
        path: AbsorbingPath,
        *,
        weighting: Literal["hidden", "bound"] = "hidden",
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        super().__init__(conditioning=conditioning, codec=codec)
        self.path = path
        self.weighting = weighting

    @classmethod
    def check_parts(cls, recipe: Recipe) -> None:
        """Raise InputError where the recipe's path or sampler is another."""
        require_path(recipe, AbsorbingPath, cls.__name__)
        super().check_parts(recipe)
        require_causal(recipe, False, cls.__name__)

    def interface(self, kinds: int, given: int) -> Interface:
        """One kind more comes in than goes out."""
        return Interface(kinds + 1, kinds, self.conditioning.channels(given)[0])

    def _logits(
        self,
        network: nn.Module,
        state: Tensor,
        kinds: int,
        batch: Batch,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        seen = torch.where(state < 0, kinds, state)
        logits: Tensor = network(seen, condition=self.condition(batch, rng))
        return logits

    def token_loss(
        self, network: nn.Module, tokens: Tensor, kinds: int, batch: Batch, rng: torch.Generator
    ) -> Losses:
        """One state a case."""
        time = self.path.draw_times(tokens.shape[0], rng)
        state, hidden = self.path.perturb(tokens, time, rng)
        nats = cross_entropy(
            self._logits(network, state, kinds, batch, rng), tokens, reduction="none"
        )
        if self.weighting == "hidden":
            mean = (nats * hidden).sum() / hidden.sum().clamp_min(1)
            return Losses({"cross_entropy": (1.0, mean)})
        bound = (nats * hidden * expand(self.path.bound_weight(time), nats)).mean()
        return Losses({"bits": (math.log(2), bound / math.log(2))})

    def token_predictor(self, network: nn.Module, kinds: int, batch: Batch) -> Predictor:
        """Logits of every token."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of tokens passes states"
            return self._logits(network, x, kinds, batch)

        return predict
