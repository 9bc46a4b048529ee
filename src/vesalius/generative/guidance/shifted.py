"""What a gradient in the state is worth in the predicted image."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand
from vesalius.generative.paths.required import require_path


def shifted(
    path: GaussianPath, clean: Tensor, score: Tensor, time: Tensor, scale: float = 1.0
) -> Tensor:
    """The image whose score has ``scale`` times ``score`` added.

    By Tweedie's formula: image + scale noise^2 / signal score.
    """
    factor = scale * path.noise(time) ** 2 / path.signal(time)
    return clean + expand(factor, clean) * score


def check_state_space(arguments: Mapping[str, object], recipe: Recipe, user: str) -> None:
    """Raise InputError unless states are noised images: a Gaussian path and no codec."""
    require_path(recipe, GaussianPath, user)
    if recipe.codec is not None:
        raise InputError(
            f"a path over the images themselves for {user}",
            came=f"one over the codes of {recipe.codec.name}",
            remedy="leave out the codec",
        )
