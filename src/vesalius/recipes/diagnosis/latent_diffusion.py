"""Latent diffusion: a path from noise to the latents of an autoencoder that stands still."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import LatentDenoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import DpmSolver
from vesalius.networks.latent_scale import LatentScale
from vesalius.networks.unet import UNet
from vesalius.recipes.diagnosis.latent_diffusion_autoencoder import latent_diffusion_autoencoder


def latent_diffusion() -> Recipe:
    """Images from nothing: a U-Net denoises latents, which a decoder makes images."""
    first = latent_diffusion_autoencoder()
    return Recipe(
        name="latent-diffusion",
        summary="An autoencoder is trained first; a U-Net then learns to draw its latents, at a "
        "sixteenth of the places.",
        task=first.task,
        networks={
            "network": Call(UNet, width=64, multipliers=(1, 2), n_blocks=2, attention=True),
            "scale": Call(LatentScale),
            **first.networks,
        },
        starts={
            "encoder": Start(recipe=first.name, network="encoder", effort=0.5),
            "decoder": Start(recipe=first.name, network="decoder", effort=0.5),
        },
        path=Call(CosinePath),
        objective=Call(LatentDenoising, kind="kl", features=4, prediction="velocity"),
        conditioning=Call(Unconditional),
        sampler=Call(DpmSolver, steps=25),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2000, batch_size=16),
        provenance=Provenance(
            title="Rombach et al., High-resolution image synthesis with latent diffusion models, "
            "CVPR 2022",
            doi="10.48550/arXiv.2112.10752",
            reproduces="mechanism",
            deviations=(
                "predicts the velocity on a cosine path instead of the noise on a linear one",
                "mean and deviation of each channel of the latents instead of one number",
                "25 second-order steps instead of 50 to 500 of DDIM",
                "a U-Net of width 64 on latents of 4x16x16",
            ),
        ),
    )
