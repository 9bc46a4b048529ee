"""GH-DDM: diffusion with a hybrid of convolutions and transformer blocks."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import LinearBetaPath
from vesalius.generative.samplers import Ddim
from vesalius.networks.hybrid_unet import HybridUNet
from vesalius.recipes.embedded import digital_patients


def gh_ddm() -> Recipe:
    """Images from nothing: DDPM whose U-Net sees far at every resolution."""
    return Recipe(
        name="gh-ddm",
        summary="A U-Net with residual and axial transformer blocks at every resolution predicts "
        "the noise; draws go back step by step with new noise.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(HybridUNet, width=32, multipliers=(1, 2, 4), patch=2)},
        path=Call(LinearBetaPath, data_std=0.5),
        objective=Call(Denoising, prediction="noise"),
        conditioning=Call(Unconditional),
        sampler=Call(Ddim, steps=100, eta=1.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2000, batch_size=16),
        provenance=Provenance(
            system="gh-ddm",
            title="Zhang et al., GH-DDM: the generalized hybrid denoising diffusion model for "
            "medical image generation, Multimedia Systems 2023",
            doi="10.1007/s00530-023-01059-0",
            reproduces="mechanism",
            deviations=(
                "built from the abstract, which names transformer blocks for long range in a "
                "DDPM; attention along the axes of space in turn is our choice of them",
                "continuous time, 100 steps of ancestral sampling, and no learnt variances",
                "no class here; one that comes as constant channels is embedded "
                "(conditioning=SpatialCondition)",
                "width 32 on blocks of 2x2 pixels of 64x64 images",
            ),
        ),
    )
