"""Chest-Diffusion: images from reports, by a transformer in which all is a token."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.conditioning import Dropped, Text
from vesalius.generative.guidance import ClassifierFree
from vesalius.generative.objectives import LatentDenoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.latent_scale import LatentScale
from vesalius.networks.uvit import UViT
from vesalius.recipes.diagnosis.xray_text_contrast import xray_text_contrast


def chest_diffusion() -> Recipe:
    """Image from a report; level, words and patches are tokens of one small U-ViT."""
    first, autoencoder = xray_text_contrast(), "latent-diffusion-autoencoder"
    return Recipe(
        name="chest-diffusion",
        summary="Reports and images are contrasted and an autoencoder is trained first; the text "
        "encoder then stands still, and a U-ViT denoises latents beside its features of every "
        "word.",
        task=first.task,
        networks={
            "network": Call(UViT, patch=2, width=96, n_layers=5, heads=4),
            "text_encoder": first.networks["given_encoder"],
            "encoder": Call(Encoder, width=16, multipliers=(1, 2)),
            "decoder": Call(Decoder, width=16, multipliers=(1, 2)),
            "scale": Call(LatentScale),
        },
        starts={
            # few cases in a batch have nothing to tell apart: contrasts of 8 learn nothing
            "text_encoder": Start(
                recipe=first.name, network="given_encoder", effort=0.15, batch_size=48
            ),
            "encoder": Start(recipe=autoencoder, network="encoder", effort=0.75),
            "decoder": Start(recipe=autoencoder, network="decoder", effort=0.75),
        },
        path=Call(CosinePath),
        objective=Call(LatentDenoising, kind="kl", features=4, prediction="velocity"),
        conditioning=Call(Dropped, inner=Call(Text, features=64, learns=False), drop=0.1),
        guidance=(Call(ClassifierFree, scale=1.5),),
        sampler=Call(
            DpmSolver, steps=12, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=1.0))
        ),
        optimiser=Optimiser(rate=2e-3, betas=(0.9, 0.99), warmup_steps=100, ema_decay=0.995),
        # small batches: in minutes of training a transformer learns from the number of its steps
        budget=Budget(steps=2400, batch_size=8),
        provenance=Provenance(
            system="chest-diffusion",
            title="Chest-Diffusion: a light-weight text-to-image model for report-to-CXR "
            "generation, ISBI 2024",
            doi="10.48550/arXiv.2407.00752",
            reproduces="mechanism",
            deviations=(
                "28x28 images, and an autoencoder of 4x14x14 latents trained here on pixel errors "
                "and KL, instead of Stable Diffusion's on 256x256",
                "a text encoder of two layers that learns from written reports alone, instead of "
                "BiomedCLIP",
                "the velocity on a cosine path instead of the noise on a linear one, and 12 "
                "second-order steps at the levels of EDM",
                "a U-ViT of five blocks of width 96",
            ),
        ),
    )
