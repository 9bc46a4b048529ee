"""CoreDiff: cold diffusion between low and full dose."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Context
from vesalius.generative.objectives import ErrorModulated
from vesalius.generative.paths import BridgePath
from vesalius.generative.samplers import Deterministic
from vesalius.networks.error_modulated_unet import ErrorModulatedUNet
from vesalius.recipes.embedded import digital_patients

STEPS = 10


def corediff() -> Recipe:
    """Low-dose CT: ten cold steps from the low-dose slice, each told the guess before it."""
    return Recipe(
        name="corediff",
        summary="A mean-preserving path from full to low dose; a U-Net restores the slice beside "
        "its neighbours, its level embedding modulated by the guess before and the low-dose slice.",
        task=tasks.get("ct-low-dose", digital_patients()),
        networks={"network": Call(ErrorModulatedUNet, width=16, n_convolutions=(2, 2, 4))},
        path=Call(BridgePath, variance=0.0, schedule="linear"),
        objective=Call(ErrorModulated, steps=STEPS),
        conditioning=Call(Context),
        sampler=Call(Deterministic, steps=STEPS),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=8),
        provenance=Provenance(
            system="corediff",
            title="Gao et al., CoreDiff: contextual error-modulated generalized diffusion model "
            "for low-dose CT denoising and generalization, IEEE TMI 2024",
            doi="10.1109/TMI.2023.3320812",
            reproduces="mechanism",
            deviations=(
                "no neighbouring slices by default: set the task's neighbours to 1",
                "the first guess is detached before it is degraded again",
                "the share of the low-dose image rises to 1 in equal steps of 0.1 instead of 1/9",
                "no one-shot adaptation to another dose",
                "64x64 slices, width 16 instead of 64 with fewer convolutions, a rate of 1e-3 "
                "instead of 2e-4, 1500 steps instead of 150 000",
            ),
        ),
    )
