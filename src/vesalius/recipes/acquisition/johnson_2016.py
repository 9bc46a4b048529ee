"""Super-resolution by perceptual loss alone."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import EfficientNetLite0Maps, Perceptual, TotalVariation
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.resnet_generator import ResnetGenerator
from vesalius.recipes.embedded import digital_patients


def johnson_2016() -> Recipe:
    """MR super-resolution: features of a frozen network and a little total variation."""
    return Recipe(
        name="johnson-2016",
        summary="A residual generator learns by what a frozen network sees in its images and by "
        "their total variation; grey values are never compared.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(ResnetGenerator, width=16, n_blocks=4)},
        objective=Call(
            Regression,
            losses=(
                Call(
                    Perceptual,
                    norm="l2",
                    features=Call(EfficientNetLite0Maps, blocks=(0, 2)),
                ),
                Call(TotalVariation, weight=1e-4),
            ),
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=4),
        provenance=Provenance(
            title="Johnson, Alahi & Fei-Fei, Perceptual losses for real-time style transfer and "
            "super-resolution, ECCV 2016",
            doi="10.1007/978-3-319-46475-6_43",
            reproduces="mechanism",
            deviations=(
                "features of EfficientNet-Lite0, two shallow maps, in place of one of VGG16",
                "the low-resolution image is on the full grid before the network, which halves and "
                "doubles as their style network does",
                "instance normalisation; a width of 16 instead of 64",
                "no histogram of the low-resolution image is matched afterwards",
                "MR slices in place of photographs",
            ),
        ),
    )
