"""RePaint: holes filled by an unconditional model."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.guidance import Replacement
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Repaint
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def repaint() -> Recipe:
    """Inpainting: a model of whole images, held to the known voxels, drawn again and again."""
    return Recipe(
        name="repaint",
        summary="A U-Net learns whole images; draws keep the known voxels, and go back to draw "
        "again until the others agree with them.",
        task=tasks.get("xray-inpainting", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4))},
        path=Call(CosinePath, data_std=0.5, last_angle=1.55),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Unconditional),
        guidance=(Call(Replacement),),
        sampler=Call(Repaint, steps=40, jumps=5, jump_length=4),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        draws=4,
        provenance=Provenance(
            title="Lugmayr et al., RePaint: inpainting using denoising diffusion probabilistic "
            "models, CVPR 2022",
            doi="10.1109/CVPR52688.2022.01117",
            reproduces="equations",
            deviations=(
                "known voxels follow one path to their values: the noise of a step is not drawn "
                "anew",
                "40 steps, jumps of 4, 5 times each, instead of 250, 10 and 10",
                "velocities on a cosine path; 28x28 images, a U-Net of width 32",
            ),
        ),
    )
