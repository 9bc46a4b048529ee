"""3D-DDPM: whole volumes from noise."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.guidance import Clipped
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import head_volumes


def ddpm_3d() -> Recipe:
    """Volumes from nothing: a three-dimensional U-Net predicts the noise, ancestral sampling."""
    return Recipe(
        name="ddpm-3d",
        summary="A U-Net of volumes with attention at its lowest resolution predicts the noise on "
        "a cosine path; draws go back step by step with new noise.",
        task=tasks.get("hippocampus-volumes", head_volumes()),
        networks={"network": Call(UNet, width=24, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="noise", distance="l1"),
        conditioning=Call(Unconditional),
        guidance=(Call(Clipped),),
        sampler=Call(Ddim, steps=100, eta=1.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=8),
        provenance=Provenance(
            system="ddpm-3d",
            title="Dorjsembe et al., Three-dimensional medical image synthesis with denoising "
            "diffusion probabilistic models, MIDL 2022",
            reproduces="equations",
            deviations=(
                "settings of the authors' later code (med-ddpm), which the paper does not give",
                "continuous time; 100 of the 250 steps of ancestral sampling by default (set "
                "sampler.steps=250)",
                "the network sees states at unit variance and the logarithm of noise over signal",
                "a U-Net of width 24 on blocks of 2x2x2 voxels of 32x32x32 volumes instead of 64 "
                "on 128x128x128",
            ),
        ),
    )
