"""I2SB: super-resolution along a bridge from the coarse image."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import BridgePath
from vesalius.generative.samplers import BridgePosterior
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def i2sb() -> Recipe:
    """MR super-resolution: a Brownian bridge from the coarse image to the fine one."""
    return Recipe(
        name="i2sb",
        summary="A U-Net predicts how far a state of the bridge is from the fine image; draws "
        "begin at the coarse one, and different noise on the way gives different answers.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        path=Call(BridgePath, variance=0.05, schedule="symmetric"),
        objective=Call(Denoising, prediction="displacement"),
        conditioning=Call(Unconditional),
        sampler=Call(BridgePosterior, steps=8),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=8),
        draws=4,
        provenance=Provenance(
            title="Liu et al., I2SB: image-to-image Schroedinger bridge, ICML 2023",
            doi="10.48550/arXiv.2302.05872",
            reproduces="equations",
            deviations=(
                "a variance of 0.05 in the middle of a continuous, symmetric schedule instead of "
                "1000 steps with betas up to 0.3 of 1000",
                "a U-Net of width 32, from nothing instead of from a trained diffusion model",
                "8 steps",
            ),
        ),
    )
