"""VM-DDPM: diffusion with a U-Net of convolutions and selective scans."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.guidance import Clipped
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import LinearBetaPath
from vesalius.generative.samplers import Ddim
from vesalius.networks.mamba_unet import MambaUNet
from vesalius.recipes.embedded import digital_patients


def vm_ddpm() -> Recipe:
    """Images from nothing: a Mamba U-Net predicts the noise."""
    return Recipe(
        name="vm-ddpm",
        summary="A U-Net whose blocks look near by convolutions and far by selective scans along "
        "both axes both ways, neighbours kept together, predicts the noise on linear betas.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "network": Call(
                MambaUNet, width=32, multipliers=(1, 2, 4), patch=4, states=8, scan="snake"
            )
        },
        path=Call(LinearBetaPath, data_std=0.5),
        objective=Call(Denoising, prediction="noise"),
        conditioning=Call(Unconditional),
        guidance=(Call(Clipped),),
        sampler=Call(Ddim, steps=50, eta=1.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=16),
        provenance=Provenance(
            system="vm-ddpm",
            title="Ju & Zhou, VM-DDPM: vision Mamba diffusion for medical image synthesis, 2024",
            doi="10.48550/arXiv.2405.05667",
            reproduces="mechanism",
            deviations=(
                "there is no public code: how a block joins its local and its global half, and the "
                "snake order that stands for the regeneration of sequences, are our reading",
                "50 ancestral steps, not 1000 (ten steps of a second-order solver drew noise: its "
                "first levels multiply the error of a predicted noise)",
                "continuous time; the network sees states at unit variance and the logarithm of "
                "noise over signal",
                "width 32 on blocks of 4x4 pixels of 64x64 images, 8 states a channel",
                "the adversarial and cross-entropy losses that the review names are no part of it, "
                "as they are none of the paper's model",
            ),
        ),
    )
