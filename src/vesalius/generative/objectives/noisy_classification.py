"""The class of images at every noise level."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.class_shares import class_shares
from vesalius.generative.losses import CrossEntropy, Loss, Losses
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor


class NoisyClassification(Objective):
    """The given class from a state of the path, by cross-entropy (Dhariwal & Nichol 2021).

    For :class:`~vesalius.generative.guidance.Classifier`: the network ``classifier`` sees the state
    at unit variance and is told its level. It draws nothing by itself.
    """

    def __init__(self, path: GaussianPath, *, losses: tuple[Loss, ...] = (CrossEntropy(),)) -> None:
        self.path = path
        self.losses = losses

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError without a Gaussian path, or where states are not of images."""
        require_path(recipe, GaussianPath, "NoisyClassification")
        if recipe.codec is not None:
            raise InputError(
                "no codec with NoisyClassification", came=recipe.codec.name, remedy="leave it out"
            )

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"classifier": ("classifier",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """A state to one logit a class."""
        return {"classifier": Interface(wanted, given, takes_level=True)}

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """One state a case."""
        clean, shares, path = wanted(batch), class_shares(batch), self.path
        time = path.draw_times(clean.shape[0], rng)
        x = path.perturb(clean, time, path.draw_noise(tuple(clean.shape), rng))
        logits: Tensor = networks["classifier"](path.normalised(x, time), level=path.level(time))
        return Losses(terms(self.losses, logits, Batch(wanted=shares)))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Not offered: a classifier guides what others draw."""
        raise InputError(
            "an objective that draws",
            came="NoisyClassification alone",
            remedy="put it second: Together(objectives=(Call(Denoising), ...))",
        )
