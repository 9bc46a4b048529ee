"""The autoencoder of latent diffusion: images to a coarser grid of nearly normal latents."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Likelihood, Variational
from vesalius.generative.samplers import Prior
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.recipes.embedded import digital_patients


def latent_diffusion_autoencoder() -> Recipe:
    """Latents that decode to nearly the same image, for latent diffusion to start from."""
    return Recipe(
        name="latent-diffusion-autoencoder",
        summary="An autoencoder with a slight pull towards normal latents. Alone it draws each "
        "latent by itself; latent-diffusion starts from it.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "encoder": Call(Encoder, width=32, multipliers=(1, 2), patch=2),
            "decoder": Call(Decoder, width=32, multipliers=(1, 2), patch=2),
        },
        objective=Call(
            Variational,
            channels=4,
            beta=0.01,
            likelihood=Call(Likelihood, kind="laplace", scale=0.1),
            # latents are of images alone, whatever a recipe that starts from here is given
            conditioning=Call(Unconditional),
        ),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=2e-3, warmup_steps=100, ema_decay=0.99),
        budget=Budget(steps=2000, batch_size=16),
        provenance=Provenance(
            title="Rombach et al., High-resolution image synthesis with latent diffusion models, "
            "CVPR 2022",
            doi="10.48550/arXiv.2112.10752",
            reproduces="mechanism",
            deviations=(
                "pixel errors and KL alone: no perceptual loss and no critic",
                "residual networks of width 32 on blocks of 2x2 pixels of 64x64 slices, 4 channels "
                "on a grid of 16x16",
            ),
        ),
    )
