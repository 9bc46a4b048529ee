"""Learn each token from those before it."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vesalius.core.batch import Batch
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.objectives.token_model import TokenModel
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.next_token import NextTokenSampler
from vesalius.generative.samplers.sampler import Sampler


class NextToken(TokenModel):
    """Autoregression in raster order (Chen et al. 2020, Image GPT).

    The network is causal: its logits at a place depend on tokens before it alone. The log has the
    exact ``bits`` that a token costs; what is minimised are nats.
    """

    drawn_by: ClassVar[type[Sampler]] = NextTokenSampler

    def interface(self, kinds: int, given: int) -> Interface:
        """As many kinds in as out."""
        return Interface(kinds, kinds, self.conditioning.channels(given)[0])

    def token_loss(
        self, network: nn.Module, tokens: Tensor, kinds: int, batch: Batch, rng: torch.Generator
    ) -> Losses:
        """The mean cross-entropy over all tokens."""
        logits = network(tokens, condition=self.condition(batch, rng))
        return Losses({"bits": (math.log(2), cross_entropy(logits, tokens) / math.log(2))})

    def token_predictor(self, network: nn.Module, kinds: int, batch: Batch) -> Predictor:
        """Logits of the first token that is not drawn yet."""
        condition = self.condition(batch)

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of tokens passes states"
            place = int((x[0] >= 0).sum())
            logits: Tensor = network(x.clamp_min(0), condition=condition)
            return logits.flatten(2)[:, :, place]

        return predict
