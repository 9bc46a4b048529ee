"""Diffusion with a transformer instead of a U-Net."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.networks.dit import DiT
from vesalius.recipes.embedded import digital_patients


def dit() -> Recipe:
    """Images from nothing with a transformer: unconditional-diffusion with another backbone."""
    return Recipe(
        name="dit",
        summary="A transformer over patches, told the level through its norms, predicts the "
        "velocity; path, objective and sampler are those of unconditional-diffusion.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(DiT, patch=4, width=128, n_layers=4, heads=4)},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Unconditional),
        sampler=Call(
            DpmSolver, steps=10, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=0.5))
        ),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=16),
        provenance=Provenance(
            title="Peebles & Xie, Scalable diffusion models with transformers, ICCV 2023",
            doi="10.48550/arXiv.2212.09748",
            reproduces="mechanism",
            deviations=(
                "voxels, not the latent codes of an autoencoder; velocity on a cosine path, not "
                "noise on linear betas with learnt variances",
                "4 blocks of width 128 instead of 12 to 28 of width 384 to 1152",
                "a linear layer mixes the sines and cosines of the places; queries and values have "
                "biases, keys none, which changes nothing",
            ),
        ),
    )
