"""A small residual classifier."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import Classification
from vesalius.generative.samplers import Direct
from vesalius.networks.classifier import SmallClassifier
from vesalius.recipes.embedded import class_of_slice


def cnn_classification() -> Recipe:
    """The peer of every classifier: residual blocks, averaged over space, cross-entropy."""
    return Recipe(
        name="cnn-classification",
        summary="A small residual network trained with cross-entropy.",
        task=class_of_slice(),
        networks={"network": Call(SmallClassifier, width=16, levels=3, dropout=0.2)},
        objective=Call(Classification),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, weight_decay=1e-2, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=32),
        provenance=Provenance(
            title="He et al., Identity mappings in deep residual networks, ECCV 2016",
            doi="10.48550/arXiv.1603.05027",
            reproduces="mechanism",
            deviations=(
                "three resolutions of one block each, width 16, instead of 110 layers and more",
                "group normalisation and a strided convolution between resolutions",
            ),
        ),
    )
