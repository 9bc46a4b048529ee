"""Diffusion that is told a class."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Concatenation
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Heun
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import slice_from_class


def class_diffusion() -> Recipe:
    """Image from a class, by diffusion; judged by sets and by a classifier that learns from it."""
    return Recipe(
        name="class-diffusion",
        summary="A U-Net denoises an image beside one constant channel for each class.",
        task=slice_from_class(64),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4))},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Concatenation),
        sampler=Call(Heun, steps=10),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=32),
        provenance=Provenance(
            title="Own recipe; Ho et al. 2020 with the class as constant channels",
            doi="10.48550/arXiv.2006.11239",
        ),
    )
