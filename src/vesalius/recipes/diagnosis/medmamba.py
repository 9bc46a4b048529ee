"""MedMamba: an image's class, seen near and far."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import Classification
from vesalius.generative.samplers import Direct
from vesalius.networks.med_mamba import MedMamba
from vesalius.recipes.embedded import class_of_slice


def medmamba() -> Recipe:
    """Class of an image, by blocks that convolve half of the channels and scan the other half."""
    return Recipe(
        name="medmamba",
        summary="A classifier of convolutions and selective scans side by side, trained with "
        "cross-entropy.",
        task=class_of_slice(),
        networks={
            "network": Call(MedMamba, patch=4, width=48, n_blocks=(2, 2, 4), states=16, dropout=0.1)
        },
        objective=Call(Classification),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, weight_decay=1e-2, warmup_steps=100, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=32),
        provenance=Provenance(
            system="medmamba",
            title="Yue & Li, MedMamba: vision Mamba for medical image classification, 2024",
            doi="10.48550/arXiv.2403.03849",
            reproduces="mechanism",
            deviations=(
                "three resolutions of 2, 2 and 4 blocks from width 48 on images of 28x28 to 64x64, "
                "instead of four of 2, 2, 4 and 2 from width 96 on 224x224",
                "group normalisation instead of batch normalisation, and a strided convolution "
                "instead of patch merging between resolutions",
                "the scanned half is gated as in VMamba and not widened inside",
                "rate 1e-3 along a cosine instead of 1e-4",
            ),
        ),
    )
