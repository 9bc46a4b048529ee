"""A part of the noise is left in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.predictor import Predictor


@dataclass(frozen=True)
class MixedWithGiven(Guidance):
    """``weight`` times the prediction and the rest of the given image.

    Denoised images that keep some texture (Hein et al. 2024, equation 10: 0.7). For draws of one
    call, whose prediction is the image; on a longer way every state would be pulled back.
    """

    weight: float = 0.7

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise InputError("a weight from 0 to 1", came=self.weight)

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError unless a draw is one step."""
        parameters = recipe.sampler.parameters()
        if "steps" not in parameters:
            return
        steps = recipe.sampler.arguments.get("steps", parameters["steps"].default)
        if steps != 1:
            raise InputError(
                "a sampler of one step for MixedWithGiven",
                came=f"{recipe.sampler.name} of {steps} steps",
                remedy="set sampler.steps=1",
            )

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict, then mix."""
        given, weight = scene.batch.given, self.weight

        def mixed(x: Tensor | None, time: Tensor | None) -> Tensor:
            clean = predict(x, time)
            if given is None or given.shape != clean.shape:
                raise InputError(
                    f"a given image like the wanted, {tuple(clean.shape)}, for MixedWithGiven",
                    came="none" if given is None else f"shape {tuple(given.shape)}",
                )
            return weight * clean + (1 - weight) * given

        return mixed
