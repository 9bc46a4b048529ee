"""Styles drawn towards the mean style: fewer odd images, less variety."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler


@dataclass(frozen=True)
class TruncatedPrior(Sampler):
    """The truncation trick (Karras et al., CVPR 2019, arXiv:1812.04948, appendix B).

    For systems of styles, where ``predict`` maps a code to a style: draws lie ``truncation`` times
    as far from the mean style. At 1 they are those of
    :class:`~vesalius.generative.samplers.Prior`, at 0 all are the image of the mean style. The mean
    is that of ``codes`` fresh codes for every case, told what the case is told.
    """

    truncation: float = 0.7
    codes: int = 64

    def __post_init__(self) -> None:
        if self.truncation < 0 or self.codes < 1:
            raise InputError(
                "a truncation of 0 or more and at least one code",
                came=f"{self.truncation} and {self.codes}",
            )

    @staticmethod
    def check_recipe(arguments: Any, recipe: Any) -> None:
        """Raise InputError for a system without styles, whose mean would be one of images."""
        if not getattr(recipe.objective.target, "draws_styles", False):
            raise InputError(
                "an objective of styles for TruncatedPrior",
                came=recipe.objective.name,
                remedy="use StyleSynthesis, or the sampler Prior with a temperature",
            )

    @property
    def calls(self) -> int:
        """One a code; of the mapping alone."""
        return 1 + self.codes

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """Styles (batch, feature, *places)."""
        style = predict(torch.randn(shape, generator=rng, device=rng.device), None)
        mean = torch.zeros_like(style)
        for _ in range(self.codes):
            mean += predict(torch.randn(shape, generator=rng, device=rng.device), None)
        return torch.lerp(mean / self.codes, style, self.truncation)
