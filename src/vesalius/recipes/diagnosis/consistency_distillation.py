"""A diffusion model distilled into one call."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.objectives import ConsistencyDistillation
from vesalius.generative.paths import KarrasPath
from vesalius.generative.samplers import Consistency
from vesalius.recipes.diagnosis.unconditional_diffusion import unconditional_diffusion


def consistency_distillation() -> Recipe:
    """Images from nothing in one call, learnt from a diffusion model."""
    teacher = unconditional_diffusion()
    network = teacher.networks["network"]
    return dataclasses.replace(
        teacher,
        name="consistency-distillation",
        summary="A student whose images agree along the probability flow of its teacher; draws in "
        "one call.",
        networks={"network": network, "teacher": network},
        starts={
            "teacher": Start(recipe=teacher.name),
            "network": Start(like="teacher"),
        },
        path=Call(KarrasPath, data_std=0.5),
        objective=Call(ConsistencyDistillation, solver="heun", huber=0.03),
        sampler=Call(Consistency, steps=1),
        optimiser=Optimiser(rate=3e-4, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            title="Song et al., Consistency models, ICML 2023",
            doi="10.48550/arXiv.2303.01469",
            reproduces="equations",
            deviations=(
                "the target is the student without gradients, not its moving average (Song & "
                "Dhariwal 2024)",
                "pseudo-Huber distance of images instead of LPIPS, which knows photographs",
                "at EDM's levels, also where the teacher learnt on the cosine path; the boundary "
                "condition is that a step of no length moves nothing",
                "18 levels; a U-Net of width 32 on 64x64 images",
            ),
        ),
    )
