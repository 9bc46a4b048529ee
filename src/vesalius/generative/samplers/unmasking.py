"""Hidden tokens shown, several at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.paths.absorbing import HIDDEN, AbsorbingPath
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler
from vesalius.generative.samplers.token_choice import chosen


@dataclass(frozen=True)
class Unmasking(Sampler):
    """From all tokens hidden to none along the absorbing path.

    ``order="random"`` is ancestral sampling (Austin et al. 2021): between two times each hidden
    token shows with the path's own probability, and its value is drawn from the prediction. Tokens
    that show in the same step are drawn independently of each other, so with fewer steps than
    tokens draws are not exact, and their error falls with 1 / ``steps``. With at least as many
    steps as tokens, tokens show one a call in an order that is uniformly random: this is the path
    in continuous time (Zheng et al. 2024, arXiv:2409.02908), and draws are exact where the
    predicted conditional probabilities and ``temperature`` 1 are.

    ``order="confidence"`` is MaskGIT's heuristic (Chang et al. 2022): all are drawn, and those
    show that were likeliest, with Gumbel noise of scale ``choice_temperature`` times the part that
    is left to go; so many that keep(t) of all show. Never exact.
    """

    path: AbsorbingPath
    steps: int = 16
    temperature: float = 1.0
    order: Literal["random", "confidence"] = "random"
    choice_temperature: float = 4.5

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("at least one step", came=self.steps)
        if not (self.temperature >= 0 and self.choice_temperature >= 0):
            raise InputError(
                "temperatures of 0 or more", came=f"{self.temperature}, {self.choice_temperature}"
            )

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where the recipe's path is not the absorbing one."""
        require_path(recipe, AbsorbingPath, cls.__name__)

    @property
    def calls(self) -> int:
        """One a step, where there are at least as many tokens."""
        return self.steps

    def calls_for(self, shape: tuple[int, ...]) -> int:
        """One a step, and no more than one a token."""
        return min(self.steps, math.prod(shape[1:]))

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """Tokens (batch, *grid), int64."""
        state = self.path.start(shape, rng)
        if self.order == "random" and self.steps >= math.prod(shape[1:]):
            return self._one_by_one(predict, state, rng)
        times = self.path.times(min(self.steps, math.prod(shape[1:]))).to(rng.device)
        for now, then in pairwise(times):
            if not (state == HIDDEN).any():
                break
            drawn = self._drawn(predict, state, now, rng)
            if self.order == "random":
                chance = torch.rand(shape, generator=rng, device=rng.device)
                show = chance < self.path.shown(now, then)
                show |= then == 0  # whatever rounding says
                show &= state == HIDDEN
                state = torch.where(show, drawn[0], state)
            else:
                state = self._surest(state, *drawn, then, rng)
        return state

    def _drawn(
        self, predict: Predictor, state: Tensor, now: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """A value for every hidden token, and its log probability; others as they are, and 0."""
        time = now.float().expand(state.shape[0])
        logits = predict(state, time).movedim(1, -1)
        hidden = state == HIDDEN
        rows = logits[hidden]
        values = chosen(rows, self.temperature, None, rng)
        log_p = rows.float().log_softmax(dim=1).gather(1, values[:, None])[:, 0]
        tokens = state.masked_scatter(hidden, values)
        return tokens, torch.zeros(state.shape, device=state.device).masked_scatter(hidden, log_p)

    def _surest(
        self, state: Tensor, drawn: Tensor, log_p: Tensor, then: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Show the likeliest; those that show already stay."""
        n = math.prod(state.shape[1:])
        kept = max(int(torch.ceil(self.path.keep(then) * n - 1e-9)), 1)
        uniform = torch.rand(state.shape, generator=rng, device=rng.device)
        gumbel = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        sure = log_p + self.choice_temperature * float(then) * gumbel
        sure = sure.masked_fill(state != HIDDEN, torch.inf).flatten(1)
        show = torch.zeros_like(sure, dtype=torch.bool)
        show.scatter_(1, sure.topk(kept, dim=1).indices, True)
        return torch.where(show.view_as(state), drawn, state)

    def _one_by_one(self, predict: Predictor, state: Tensor, rng: torch.Generator) -> Tensor:
        """One token a call, each case in an order of its own."""
        line = state.flatten(1)
        size, n = line.shape
        order = torch.rand((size, n), generator=rng, device=rng.device).argsort(dim=1)
        case = torch.arange(size, device=rng.device)
        for k in range(n):
            places = order[:, k]
            part = torch.full((size,), 1 - k / n, device=rng.device)
            logits = predict(line.view_as(state), part).flatten(2)[case, :, places]
            line[case, places] = chosen(logits, self.temperature, None, rng)
        return line.view_as(state)
