"""Images of which a classifier is surer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.class_shares import class_shares
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.guidance.shifted import check_state_space, shifted
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor


@dataclass(frozen=True)
class Classifier(Guidance):
    """Adds ``scale`` times the gradient of log p(class | state) to the score.

    Dhariwal & Nichol 2021, algorithm 2. The classifier is the network ``classifier``, which learns
    on noised images (:class:`~vesalius.generative.objectives.NoisyClassification`); the class is
    what is given.
    """

    path: GaussianPath
    scale: float = 1.0

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError without a classifier or a path over images."""
        check_state_space(arguments, recipe, "Classifier")
        if "classifier" not in recipe.networks:
            raise InputError(
                "a network 'classifier' for Classifier",
                came=", ".join(sorted(recipe.networks)),
                remedy="learn it beside the other: Together(objectives=(..., NoisyClassification))",
            )

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict, then climb."""
        shares, classifier = class_shares(scene.batch), scene.networks["classifier"]

        def climbed(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a path's sampler passes states"
            assert time is not None, "and their times"
            with torch.enable_grad():
                at = x.detach().requires_grad_()
                logits = classifier(self.path.normalised(at, time), level=self.path.level(time))
                likelihood = (logits.log_softmax(dim=1) * shares).sum()
                (score,) = torch.autograd.grad(likelihood, at)
            return shifted(self.path, predict(x, time), score, time, self.scale)

        return climbed
