"""Diffusion with Mamba blocks instead of a U-Net or a transformer."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.networks.isotropic_mamba import IsotropicMamba
from vesalius.recipes.embedded import digital_patients


def isotropic_mamba_diffusion() -> Recipe:
    """Images from nothing with Mamba: unconditional-diffusion with another backbone."""
    return Recipe(
        name="isotropic-mamba-diffusion",
        summary="Mamba blocks over patches, each walking the grid another way and told the level "
        "through its norm, predict the velocity; the rest is as in unconditional-diffusion.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "network": Call(
                IsotropicMamba, patch=4, width=128, n_layers=6, scan="snake", kind="ssd"
            )
        },
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Unconditional),
        sampler=Call(
            DpmSolver, steps=10, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=0.5))
        ),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=16),
        provenance=Provenance(
            title="Own recipe; blocks after Dao & Gu 2024 (Mamba-2), orders in turn after Hu et "
            "al. 2024 (ZigMa), levels after Peebles & Xie 2023 (DiT)",
            doi="10.48550/arXiv.2403.13802",
        ),
    )
