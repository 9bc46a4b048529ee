"""Diffusion that is told what is known of a person, and what is not."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Covariates
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.networks.covariate_encoder import CovariateEncoder
from vesalius.networks.uvit import UViT
from vesalius.recipes.embedded import slice_from_covariates


def covariate_diffusion() -> Recipe:
    """Head from age, sex and lesions, any of which may be missing."""
    return Recipe(
        name="covariate-diffusion",
        summary="An encoder of numbers, categories and missing values learns with a U-ViT that "
        "denoises patches beside what it makes of them.",
        task=slice_from_covariates(48),
        networks={
            "network": Call(UViT, patch=4, width=96, n_layers=5, heads=4),
            "covariate_encoder": Call(CovariateEncoder, width=64),
        },
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Covariates, features=64),
        sampler=Call(
            DpmSolver, steps=12, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=0.5))
        ),
        optimiser=Optimiser(rate=2e-3, betas=(0.9, 0.99), warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2400, batch_size=8),
        provenance=Provenance(
            title="Own recipe; Bao et al. 2023 (U-ViT) and Gorishniy et al. 2021 (covariates)",
            doi="10.48550/arXiv.2209.12152",
        ),
    )
