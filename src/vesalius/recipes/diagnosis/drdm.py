"""DRDM: variants of anatomy by deforming and recovering."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import DeformationRecovery
from vesalius.generative.paths import DeformationPath
from vesalius.generative.samplers import DeformAndRecover
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def drdm() -> Recipe:
    """New anatomies with their label maps: a network learns to undo random deformations."""
    return Recipe(
        name="drdm",
        summary="A labelled image is deformed by a random flow and led back step by step to "
        "plausible anatomy, by a network that learnt to undo deformations without labels.",
        task=tasks.get("head-variants", digital_patients(n=160, matrix=64)),
        networks={"network": Call(UNet, width=16, multipliers=(1, 2, 4), patch=4)},
        path=Call(DeformationPath, amplitude=0.06),
        objective=Call(DeformationRecovery),
        sampler=Call(DeformAndRecover, begin_level=48, steps=48),
        optimiser=Optimiser(rate=3e-3, warmup_steps=50, ema_decay=0.995),
        budget=Budget(steps=2000, batch_size=12),
        draws=2,
        provenance=Provenance(
            system="drdm",
            title="Zheng et al., Deformation-recovery diffusion model (DRDM): instance deformation "
            "for image manipulation and synthesis, Medical Image Analysis 2026",
            doi="10.48550/arXiv.2407.07295",
            reproduces="mechanism",
            deviations=(
                "slices of 64x64 or whole crops instead of 256x256 or 128x128x128",
                "velocities are cubic B-splines whose amplitude falls with their spacing, on the "
                "image itself instead of the middle of a grid of twice its size; the size of "
                "displacements is stated in parts of the image",
                "repeated composition by scaling and squaring, so that numbers of compositions "
                "need not be whole",
                "a U-Net on blocks of 4 voxels a side instead of recursive atrous convolutions, "
                "which had learnt nothing after as many steps; it returns displacements in units "
                "of the usual size of a step",
                "derivatives of the field are penalised in voxels a voxel",
                "batches of 12 at a falling rate from 3e-3 instead of single images at 1e-4, for "
                "minutes; an exponential moving average of the weights draws",
            ),
        ),
    )
