"""A conditional diffusion model for paired translation."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Concatenation
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def conditional_diffusion() -> Recipe:
    """Paired translation by diffusion: many draws a case, so uncertainty is shown."""
    return Recipe(
        name="conditional-diffusion",
        summary="A U-Net denoises the wanted image beside the given one; draws differ where the "
        "given image leaves room.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Concatenation),
        sampler=Call(Ddim, steps=12, eta=0.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2500, batch_size=8),
        draws=4,
        provenance=Provenance(
            title="Own recipe; conditioning by concatenation after Saharia et al. 2022 (SR3), "
            "velocity prediction after Salimans & Ho 2022",
            doi="10.1109/TPAMI.2022.3204461",
        ),
    )
