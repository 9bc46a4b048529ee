"""More of what was given than the network alone would show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.conditioning import Dropped, MaskAblation, untold
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.predictor import Predictor


@dataclass(frozen=True)
class ClassifierFree(Guidance):
    """Without + ``scale`` (with - without) what is given (Ho & Salimans 2022).

    On a Gaussian path this is the score of p(state) p(given | state)^scale: 0 forgets what is
    given, 1 is the network itself, more exaggerates it (their w is scale - 1). Every prediction
    asks the network twice.
    """

    scale: float = 2.0

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError unless the network learns to do without what is given."""
        kind = recipe.conditioning.target if recipe.conditioning else None
        if kind not in (Dropped, MaskAblation):
            raise InputError(
                "a conditioning that drops what is given in training, for ClassifierFree",
                came="none" if recipe.conditioning is None else recipe.conditioning.name,
                remedy="use Dropped(inner=...)",
            )

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict with and without."""
        without = scene.predictor(untold(scene.batch))

        def exaggerated(x: Tensor | None, time: Tensor | None) -> Tensor:
            free = without(x, time)
            return free + self.scale * (predict(x, time) - free)

        return exaggerated
