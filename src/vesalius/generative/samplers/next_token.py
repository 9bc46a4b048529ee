"""Tokens one after another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.absorbing import HIDDEN
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler
from vesalius.generative.samplers.token_choice import chosen


@dataclass(frozen=True)
class NextTokenSampler(Sampler):
    """Raster order, the last axis fastest; each token given those before it.

    At ``temperature`` 1 and without ``top_k`` draws are exact draws of the predicted distribution.
    Logits are divided by ``temperature``; at 0 the likeliest token is taken. ``top_k`` keeps the
    likeliest so many kinds.
    """

    temperature: float = 1.0
    top_k: int | None = None

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise InputError("a temperature of 0 or more", came=self.temperature)
        if self.top_k is not None and self.top_k < 1:
            raise InputError("a top_k of 1 or more", came=self.top_k)

    @property
    def calls(self) -> int:
        """One a token."""
        return 1

    def calls_for(self, shape: tuple[int, ...]) -> int:
        """As many as there are tokens."""
        return math.prod(shape[1:])

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """Tokens (batch, *grid), int64."""
        tokens = torch.full(shape, HIDDEN, device=rng.device)
        line = tokens.flatten(1)  # a view: what is drawn shows in the state
        for place in range(line.shape[1]):
            line[:, place] = chosen(predict(tokens, None), self.temperature, self.top_k, rng)
        return tokens
