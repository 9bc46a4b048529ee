"""PartDiff: super-resolution by the last part of a diffusion."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Concatenation
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import AlignedPath, CosinePath
from vesalius.generative.samplers import Deterministic
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def partdiff() -> Recipe:
    """MR super-resolution: starts from the coarse image under a little noise."""
    return Recipe(
        name="partdiff",
        summary="A U-Net beside the coarse image; the path is the first third of a diffusion, "
        "whose mean moves from the fine to the coarse image, so that draws start at the latter.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        path=Call(AlignedPath, whole=Call(CosinePath, data_std=0.5), reach=0.3),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Concatenation),
        sampler=Call(Deterministic, steps=6),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=8),
        draws=4,
        provenance=Provenance(
            system="partdiff",
            title="Zhao et al., PartDiff: image super-resolution with partial diffusion models, "
            "IEEE TMI 2024",
            doi="10.48550/arXiv.2307.11926",
            reproduces="mechanism",
            deviations=(
                "written from the abstract: the exact form of the latent alignment was not seen; "
                "here the mean moves linearly from the fine to the coarse image",
                "continuous time, a cosine schedule up to 0.3 of it instead of the first 100 to "
                "400 of 1000 steps; velocity instead of noise prediction",
                "6 deterministic steps instead of ancestral ones",
                "brain MR of SynthRAD in place of prostate MR; a smaller U-Net",
            ),
        ),
    )
