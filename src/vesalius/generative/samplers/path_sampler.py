"""What all samplers along a path share: steps, and where a draw begins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_type_hints

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.paths.path import Path
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.beginning import Beginning, WholePath
from vesalius.generative.samplers.sampler import Sampler


@dataclass(frozen=True)
class PathSampler(Sampler):
    """``steps`` steps along ``path`` from ``beginning`` to the clean image."""

    path: Path
    steps: int = 50
    beginning: Beginning = field(default=WholePath(), kw_only=True)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("at least one step", came=self.steps)

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where the recipe's path is not of the kind that the sampler follows."""
        require_path(recipe, get_type_hints(cls)["path"], cls.__name__)

    @property
    def calls(self) -> int:
        """One a step."""
        return self.steps

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """From the beginning to clean."""
        times = self.beginning.times(self.path, self.steps).to(rng.device)
        x = self.beginning.state(self.path, times[0], shape, rng, given)
        return self.solve(predict, x, times, rng, given)

    @abstractmethod
    def solve(
        self,
        predict: Predictor,
        x: Tensor,
        times: Tensor,
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """Follow the falling ``times`` from the state ``x`` at the first to the last, zero."""


def at(time: Tensor, x: Tensor) -> Tensor:
    """The scalar ``time`` for every case of ``x``, (batch,), in its precision."""
    return time.to(x.dtype).expand(x.shape[0])
