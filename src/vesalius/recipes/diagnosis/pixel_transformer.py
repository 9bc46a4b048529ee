"""A transformer that draws an image grey level by grey level."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.codecs import GreyLevels
from vesalius.generative.objectives import NextToken
from vesalius.generative.samplers import NextTokenSampler
from vesalius.networks.token_transformer import TokenTransformer
from vesalius.recipes.embedded import slice_from_class


def pixel_transformer() -> Recipe:
    """Image from a class, pixel after pixel, by a causal transformer of grey levels."""
    return Recipe(
        name="pixel-transformer",
        summary="A causal transformer predicts each of 784 pixels, as one of 16 grey levels, from "
        "those before it and the class.",
        task=slice_from_class(28),
        networks={
            "network": Call(TokenTransformer, causal=True, neighbours=True, width=64, n_layers=4)
        },
        objective=Call(NextToken),
        codec=Call(GreyLevels, levels=16),
        sampler=Call(NextTokenSampler),
        optimiser=Optimiser(rate=2e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1000, batch_size=8),
        provenance=Provenance(
            title="Own recipe; Chen et al. 2020, Image GPT, at 28x28 with 16 grey levels",
            doi="",
        ),
    )
