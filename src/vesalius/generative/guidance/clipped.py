"""No clean image is expected where no image can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.guidance.shifted import check_state_space
from vesalius.generative.predictor import Predictor


@dataclass(frozen=True)
class Clipped(Guidance):
    """Expected clean images are cut to [``low``, ``high``], in model units.

    Where a path begins there is so little signal that an error of the predicted noise is multiplied
    by some hundreds in the clean image; DDPM (Ho et al. 2020, section 4) scales images to [-1, 1],
    and its sampler keeps what it expects in there. Images of a task have that range.
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError("low below high", came=f"{self.low} and {self.high}", case="Clipped")

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError without a path over images: codes have no such range."""
        check_state_space(arguments, recipe, "Clipped")

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict, then cut."""

        def clipped(x: Tensor | None, time: Tensor | None) -> Tensor:
            return predict(x, time).clamp(self.low, self.high)

        return clipped
