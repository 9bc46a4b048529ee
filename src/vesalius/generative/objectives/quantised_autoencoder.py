"""An autoencoder whose code is a grid of a codebook's vectors: how it learns."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.code_grid import cropped
from vesalius.generative.objectives.objective import Networks


def quantised_reconstruction(
    networks: Networks, image: Tensor, commitment: float, rng: torch.Generator
) -> tuple[Tensor, dict[str, tuple[float, Tensor]]]:
    """The image (batch, channel, *space) from its tokens, and what the code costs.

    Gradients reach the encoder as if nothing had been quantised (van den Oord et al. 2017). The
    codebook follows the features without gradient; ``rng`` revives codes that nothing uses. The
    terms are ``commitment`` times the distance of features to their vectors and, for the log, the
    ``perplexity`` of the tokens: how many codes are in use.
    """
    codebook = networks["codebook"]
    codebook.train()  # no player trains it, but this is where it learns
    features = networks["encoder"](image)
    quantised, tokens = codebook(features)
    nearest = codebook.look_up(tokens).detach()  # type: ignore[operator]
    codebook.update(features.detach(), tokens, rng)  # type: ignore[operator]
    codebook.eval()
    drawn = cropped(networks["decoder"](quantised), tuple(image.shape[2:]))
    return drawn, {
        "commitment": (commitment, mse_loss(features, nearest)),
        "perplexity": (0.0, codebook.perplexity(tokens)),  # type: ignore[operator]
    }


def require_codebook(kind: type, arguments: Mapping[str, object], recipe: Recipe) -> None:
    """Raise InputError where codebook and objective, of class ``kind``, differ in their sizes."""
    if recipe.codec is not None:
        raise InputError(f"no codec beside {kind.__name__}, which is one", came=recipe.codec.name)
    defaults = Call(kind).parameters()
    codebook = recipe.networks.get("codebook")
    for own, its in (("features", "width"), ("codes", "codes")):
        if own not in defaults:
            continue
        expected = arguments.get(own, defaults[own].default)
        found = codebook.arguments.get(its, expected) if codebook else expected
        if found != expected:
            raise InputError(
                f"networks.codebook.{its} and objective.{own} to be the same",
                came=f"{found} and {expected}",
            )
