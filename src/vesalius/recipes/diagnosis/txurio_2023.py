"""Txurio et al. 2023: CT slices from noise."""

from __future__ import annotations

import dataclasses

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.recipes.diagnosis.ddpm import ddpm
from vesalius.recipes.embedded import digital_patients


def txurio_2023() -> Recipe:
    """CT slices from nothing: an unconditional diffusion model."""
    return dataclasses.replace(
        ddpm(),
        name="txurio-2023",
        summary="The diffusion model of DDPM, learnt on axial CT slices in HU.",
        task=tasks.get("ct-slices", digital_patients()),
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        sampler=Call(
            DpmSolver, steps=20, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=0.5))
        ),
        provenance=Provenance(
            system="txurio-2023",
            title="Stephens Txurio et al., Diffusion models for realistic CT image generation, "
            "InMed 2023",
            doi="10.1007/978-981-99-3311-2",
            reproduces="mechanism",
            deviations=(
                "written from the abstract: the paper's settings were not seen",
                "64x64 slices instead of 256x256, a U-Net of width 32",
                "velocity prediction on a cosine schedule: bone and air are far from the mean, "
                "where noise prediction is ill conditioned at the noisy end",
                "20 steps of a second-order solver at EDM's levels instead of 1000 ancestral ones",
            ),
        ),
    )
