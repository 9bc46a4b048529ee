"""Medical Diffusion: a path from noise to the latents of a volume."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import LatentDenoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks.factorised_unet import FactorisedUNet
from vesalius.recipes.diagnosis.medicaldiffusion_autoencoder import medicaldiffusion_autoencoder


def medicaldiffusion() -> Recipe:
    """Volumes from nothing: a U-Net of slices denoises what an autoencoder makes of volumes."""
    first = medicaldiffusion_autoencoder()
    networks = {name: first.networks[name] for name in ("encoder", "decoder", "codebook")}
    return Recipe(
        name="medicaldiffusion",
        summary="An autoencoder with a codebook is trained first; a U-Net that works within slices "
        "and across them then learns to draw what it makes of a volume before quantisation.",
        task=first.task,
        networks={
            "network": Call(FactorisedUNet, width=32, multipliers=(1, 2, 4), axis=2),
            **networks,
        },
        starts={name: Start(recipe=first.name, network=name, effort=0.5) for name in networks},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(LatentDenoising, kind="vq", features=8, prediction="noise", distance="l1"),
        conditioning=Call(Unconditional),
        sampler=Call(Ddim, steps=300, eta=1.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1000, batch_size=4),
        provenance=Provenance(
            system="medicaldiffusion",
            title="Khader et al., Denoising diffusion probabilistic models for 3D medical image "
            "generation, Scientific Reports 2023",
            doi="10.1038/s41598-023-34341-2",
            reproduces="equations",
            deviations=(
                "continuous time; 300 steps are those of the sampler",
                "the network sees states at unit variance and the logarithm of noise over signal",
                "skips are added; sines and cosines tell attention which slice it sees; three "
                "resolutions of width 32 instead of four of 64",
                "volumes of 32x32x32, latents of 8x8x8x8",
            ),
        ),
    )
