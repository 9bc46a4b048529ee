"""DPS: what was measured leads an unconditional model."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.guidance import PosteriorSampling
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def dps() -> Recipe:
    """Super-resolution: a model of whole slices, led by the gradient of the misfit."""
    return Recipe(
        name="dps",
        summary="A U-Net learns whole slices; the gradient of the misfit to the measurement, "
        "through the network, leads draws.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        path=Call(CosinePath, data_std=0.5, last_angle=1.55),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Unconditional),
        guidance=(Call(PosteriorSampling, strength=1.0, noise_std=0.01),),
        sampler=Call(Ddim, steps=25, eta=0.5),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2500, batch_size=8),
        draws=4,
        provenance=Provenance(
            title="Chung et al., Diffusion posterior sampling for general noisy inverse problems, "
            "ICLR 2023",
            doi="10.48550/arXiv.2209.14687",
            reproduces="mechanism",
            deviations=(
                "the misfit is weighed by what is unknown of the image (Song et al. 2023, Pi-GDM), "
                "not by the norm of the residual",
                "25 steps of DDIM with half of the new noise instead of 1000 ancestral ones",
                "velocities on a cosine path; 128x128 slices, a U-Net of width 32",
            ),
        ),
    )
