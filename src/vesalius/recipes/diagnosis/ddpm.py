"""DDPM: images from noise in a thousand steps."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import LinearBetaPath
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def ddpm() -> Recipe:
    """Images from nothing: a network that predicts the noise, ancestral sampling."""
    return Recipe(
        name="ddpm",
        summary="A U-Net predicts the noise on a variance-preserving path with linear betas; draws "
        "go back step by step with new noise.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(LinearBetaPath, data_std=0.5),
        objective=Call(Denoising, prediction="noise"),
        conditioning=Call(Unconditional),
        sampler=Call(Ddim, steps=250, eta=1.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            system="ddpm",
            title="Ho et al., Denoising diffusion probabilistic models, NeurIPS 2020",
            doi="10.48550/arXiv.2006.11239",
            reproduces="equations",
            deviations=(
                "continuous time; 250 of the 1000 steps of ancestral sampling by default (set "
                "sampler.steps=1000)",
                "the network sees states at unit variance and the logarithm of noise over signal",
                "a U-Net of width 32 on blocks of 2x2 pixels of 64x64 images instead of 128 on "
                "32x32 to 256x256",
            ),
        ),
    )
