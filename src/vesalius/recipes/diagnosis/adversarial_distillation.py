"""A diffusion model distilled with a critic."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.objectives import AdversarialDistillation
from vesalius.generative.paths import KarrasPath
from vesalius.generative.samplers import Consistency
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.recipes.diagnosis.unconditional_diffusion import unconditional_diffusion


def adversarial_distillation() -> Recipe:
    """Images from nothing in one to four calls, judged by a critic and by the teacher."""
    teacher = unconditional_diffusion()
    network = teacher.networks["network"]
    return dataclasses.replace(
        teacher,
        name="adversarial-distillation",
        summary="A student whose images a critic takes for real and its teacher leaves as they "
        "are; draws in two calls.",
        networks={
            "network": network,
            "teacher": network,
            "critic": Call(PatchDiscriminator, width=24, n_layers=3, norm="none"),
        },
        starts={
            "teacher": Start(recipe=teacher.name),
            "network": Start(like="teacher"),
        },
        path=Call(KarrasPath, data_std=0.5),
        objective=Call(AdversarialDistillation, steps=2, adversarial=0.02, r1=0.2),
        sampler=Call(Consistency, steps=2),
        optimiser=Optimiser(rate=2e-4, betas=(0.5, 0.99), warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=2000, batch_size=32),
        provenance=Provenance(
            title="Sauer et al., Adversarial diffusion distillation, ECCV 2024",
            doi="10.48550/arXiv.2311.17042",
            reproduces="mechanism",
            deviations=(
                "a critic of patches of the image, trained from nothing, instead of heads on the "
                "features of DINOv2",
                "two times of the student instead of four",
                "the adversarial term weighs 0.02 beside 2.5 of the distillation: the terms are "
                "means over voxels here",
                "a U-Net of width 32 on 64x64 images",
            ),
        ),
    )
