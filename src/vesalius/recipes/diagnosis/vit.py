"""ViT: an image's class from its patches."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import Classification
from vesalius.generative.samplers import Direct
from vesalius.networks.vision_transformer import VisionTransformer
from vesalius.recipes.embedded import class_of_slice


def vit() -> Recipe:
    """Class of an image, by a transformer over its patches."""
    return Recipe(
        name="vit",
        summary="A vision transformer trained with cross-entropy, from scratch.",
        task=class_of_slice(),
        networks={
            "network": Call(VisionTransformer, patch=4, width=96, n_layers=4, heads=4, dropout=0.1)
        },
        objective=Call(Classification),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, weight_decay=0.05, warmup_steps=100, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=32),
        provenance=Provenance(
            title="Dosovitskiy et al., An image is worth 16x16 words: transformers for image "
            "recognition at scale, ICLR 2021",
            doi="10.48550/arXiv.2010.11929",
            reproduces="mechanism",
            deviations=(
                "4 blocks of width 96 on patches of 4x4 pixels instead of 12 to 32 of width 768 "
                "to 1280 on 16x16, and no pretraining",
                "places are sines and cosines instead of learnt for one size",
            ),
        ),
    )
