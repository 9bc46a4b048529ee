"""SwinMR: a Swin transformer restores what a quarter of k-space leaves of an image."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import Charbonnier, EfficientNetLite0Maps, Frequency, Perceptual
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.swin_restorer import SwinRestorer
from vesalius.recipes.embedded import digital_patients


def swinmr() -> Recipe:
    """Multi-coil MRI: SwinIR's body, Charbonnier's distance of voxels and of k-space."""
    return Recipe(
        name="swinmr",
        summary="Residual blocks of shifted-window attention, trained by Charbonnier's distance of "
        "voxels (15) and of Fourier coefficients (0.1) and a perceptual loss (0.0025).",
        task=tasks.get("mri-4x", digital_patients()),
        networks={"network": Call(SwinRestorer, width=48, n_blocks=2, n_layers=4, patch=2)},
        objective=Call(
            Regression,
            losses=(
                Call(Charbonnier, weight=15.0, epsilon=1e-9),
                Call(Frequency, weight=0.1, epsilon=1e-9),
                Call(
                    Perceptual,
                    weight=0.0025,
                    features=Call(EfficientNetLite0Maps, blocks=(0, 2)),
                ),
            ),
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1000, batch_size=4),
        provenance=Provenance(
            system="swinmr",
            title="Huang et al., Swin transformer for fast MRI, Neurocomputing 2022",
            doi="10.1016/j.neucom.2022.04.051",
            reproduces="mechanism",
            deviations=(
                "tokens of 2x2 voxels, 2 blocks of 4 layers of width 48 with 4 heads instead of 6 "
                "blocks of 6 layers of width 180 with 6 heads on single voxels",
                "real and imaginary part of the least-squares image in and out, instead of the "
                "magnitude of the zero-filled one; Fourier coefficients are each part's, not each "
                "coil's",
                "whole 128x128 slices instead of patches of 96x96",
                "perceptual loss by maps of an EfficientNet that ships with a package instead of "
                "a VGG",
                "Adam at a rate of 1e-3 with warm-up and cosine fall, 1000 steps of "
                "batches of 4, instead of 2e-4 halved five times over 110 000 steps of 8",
            ),
        ),
    )
