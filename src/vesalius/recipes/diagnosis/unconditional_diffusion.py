"""The plain diffusion model that others are distilled from."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def unconditional_diffusion() -> Recipe:
    """Images from nothing in a dozen steps; the teacher of the distilled recipes."""
    return Recipe(
        name="unconditional-diffusion",
        summary="A U-Net predicts the velocity on a cosine path; draws follow the probability flow "
        "in second-order steps at the levels of EDM, which suit few calls best (measured).",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Unconditional),
        sampler=Call(
            DpmSolver, steps=10, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=0.5))
        ),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            title="Own recipe; velocity prediction after Salimans & Ho 2022, second-order "
            "multistep solver after Lu et al. 2022, levels after Karras et al. 2022",
            doi="10.48550/arXiv.2202.00512",
        ),
    )
