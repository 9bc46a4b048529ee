"""Learn each token from those before it."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vesalius.core.batch import Batch
from vesalius.core.recipe import Recipe
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.objectives.token_model import TokenModel, require_causal
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.next_token import NextTokenSampler
from vesalius.generative.samplers.sampler import Sampler


class NextToken(TokenModel):
    """Autoregression in raster order (Chen et al. 2020, Image GPT).

    The network is causal: its logits at a place depend on tokens before it alone. It can also
    ``begin`` a draw and ``step`` from token to token, as TokenTransformer does. The log has the
    exact ``bits`` that a token costs; what is minimised are nats.
    """

    drawn_by: ClassVar[type[Sampler]] = NextTokenSampler

    @classmethod
    def check_parts(cls, recipe: Recipe) -> None:
        """Raise InputError where the sampler is another, or the network sees what comes after."""
        super().check_parts(recipe)
        require_causal(recipe, True, cls.__name__)

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
        return _Continued(network, self.condition(batch))


class _Continued:
    """Logits of the first token that is not drawn yet.

    What was computed for a state is kept for the states that go on from it, so that a draw costs
    one step a token; any other state is begun anew.
    """

    def __init__(self, network: nn.Module, condition: Tensor | None) -> None:
        self.network, self.condition = network, condition
        self.cache: Any = None
        self.known: Tensor | None = None  # the tokens that the cache has seen
        self.logits: Tensor | None = None  # of the token after those

    def __call__(self, x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None, "a sampler of tokens passes states"
        line = x.flatten(1)
        line = line[:, : int((line[0] >= 0).sum())]
        n = 0 if self.known is None else self.known.shape[1]
        if self.known is None or not torch.equal(line[:, :n], self.known):
            grid = tuple(x.shape[1:])
            self.cache = self.network.begin(len(x), grid, condition=self.condition)  # type: ignore[operator]
            self.logits = self.network.step(self.cache, None)  # type: ignore[operator]
            n = 0
        for place in range(n, line.shape[1]):
            self.logits = self.network.step(self.cache, line[:, place])  # type: ignore[operator]
        self.known = line.clone()
        assert self.logits is not None
        return self.logits
