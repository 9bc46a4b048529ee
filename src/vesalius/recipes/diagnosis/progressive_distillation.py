"""A diffusion model distilled into a few steps."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.objectives import ProgressiveDistillation
from vesalius.generative.paths import KarrasPath
from vesalius.generative.samplers import Ddim
from vesalius.recipes.diagnosis.unconditional_diffusion import unconditional_diffusion


def progressive_distillation() -> Recipe:
    """Images from nothing in four steps: each student skips every other step of the last."""
    teacher = unconditional_diffusion()
    network = teacher.networks["network"]
    return dataclasses.replace(
        teacher,
        name="progressive-distillation",
        summary="A student learns to go in one deterministic step where its teacher goes in two, "
        "and becomes the teacher: from 64 steps to 4.",
        networks={"network": network, "teacher": network},
        starts={
            "teacher": Start(recipe=teacher.name),
            "network": Start(like="teacher"),
        },
        path=Call(KarrasPath, data_std=0.5),
        objective=Call(ProgressiveDistillation, start_steps=64, end_steps=4),
        sampler=Call(Ddim, steps=4, eta=0.0),
        optimiser=Optimiser(rate=3e-4, warmup_steps=50, ema_decay=0.98),
        budget=Budget(steps=2500, batch_size=32),
        provenance=Provenance(
            title="Salimans & Ho, Progressive distillation for fast sampling of diffusion models, "
            "ICLR 2022",
            doi="10.48550/arXiv.2202.00512",
            reproduces="equations",
            deviations=(
                "one cosine fall of the rate over all halvings instead of one for each",
                "from 64 steps instead of 1024 or more",
                "a U-Net of width 32 on 64x64 images",
            ),
        ),
    )
