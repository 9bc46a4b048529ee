"""Score networks at many noise levels and annealed Langevin dynamics."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import VarianceExplodingPath
from vesalius.generative.samplers import Langevin
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def ncsn() -> Recipe:
    """Images from nothing by Langevin dynamics at falling noise."""
    return Recipe(
        name="ncsn",
        summary="A U-Net predicts the noise at geometric levels; draws are Langevin dynamics at "
        "each of them.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(VarianceExplodingPath, data_std=0.5, noise_max=20.0),
        objective=Call(Denoising, prediction="noise"),
        conditioning=Call(Unconditional),
        sampler=Call(Langevin, steps=50, corrections=5, step_size=1.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            title="Song & Ermon, Generative modeling by estimating gradients of the data "
            "distribution, NeurIPS 2019",
            doi="10.48550/arXiv.1907.05600",
            reproduces="equations",
            deviations=(
                "continuous levels, told to the network, up to 20; 50 of them with 5 larger steps "
                "each instead of 10 with 100",
                "a last prediction takes away the last level's noise",
                "64x64 slices, a U-Net of width 32 on blocks of 2x2 pixels",
            ),
        ),
    )
