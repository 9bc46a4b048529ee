"""EDM: noise levels, preconditioning and a stochastic sampler that fit each other."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import KarrasPath
from vesalius.generative.samplers import Churn
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def edm() -> Recipe:
    """Images from nothing by EDM, drawn with noise added before every step."""
    return Recipe(
        name="edm",
        summary="A U-Net denoises at log-normal noise levels; draws add a little noise before "
        "every second-order step.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(KarrasPath, data_std=0.5, noise_max=20.0),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Unconditional),
        sampler=Call(Churn, steps=16, churn=3.0, noise_low=0.05, noise_high=10.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            title="Karras et al., Elucidating the design space of diffusion-based generative "
            "models, NeurIPS 2022",
            doi="10.48550/arXiv.2206.00364",
            reproduces="equations",
            deviations=(
                "noise up to 20, which is 40 times the deviation of images, instead of 80 (160)",
                "no augmentation that the network is told of",
                "64x64 slices, a U-Net of width 32 on blocks of 2x2 pixels",
            ),
        ),
    )
