"""Cold diffusion: super-resolution by undoing a blur step by step."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import ColdPath, LowPass
from vesalius.generative.samplers import Deterministic
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def cold_diffusion() -> Recipe:
    """MR super-resolution: the cut-off in k-space rises from a quarter to all, without noise."""
    return Recipe(
        name="cold-diffusion",
        summary="A U-Net predicts the fine image from one whose k-space was cut anywhere; draws "
        "begin at the coarse image and win back frequencies step by step.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        path=Call(ColdPath, degradation=Call(LowPass, factor=4.0)),
        objective=Call(Denoising, prediction="denoised", distance="l1"),
        conditioning=Call(Unconditional),
        sampler=Call(Deterministic, steps=8),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=8),
        provenance=Provenance(
            title="Bansal et al., Cold diffusion: inverting arbitrary image transforms without "
            "noise, NeurIPS 2023",
            doi="10.48550/arXiv.2208.09392",
            reproduces="equations",
            deviations=(
                "the cut-off in k-space falls continuously instead of pixels being averaged in "
                "blocks of two",
                "8 steps; a U-Net of width 32 on blocks of 2x2 pixels",
            ),
        ),
    )
