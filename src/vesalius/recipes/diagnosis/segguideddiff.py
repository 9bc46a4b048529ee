"""SegGuidedDiff: diffusion that follows a label map."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import MaskAblation
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def segguideddiff() -> Recipe:
    """Image from a label map: mask as a channel at every step, classes dropped in training."""
    return Recipe(
        name="segguideddiff",
        summary="Pixel-space diffusion with the label map as one input channel at every step; in "
        "training every class is dropped with probability one half.",
        task=tasks.get("head-from-tissues", digital_patients()),
        networks={"network": Call(UNet, width=16, multipliers=(1, 2, 4), patch=2)},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(MaskAblation, drop=0.5),
        sampler=Call(Ddim, steps=10, eta=0.0),
        optimiser=Optimiser(rate=1e-3, weight_decay=0.01, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2500, batch_size=4),
        draws=2,
        provenance=Provenance(
            system="segguideddiff",
            title="Konz et al., Anatomically-controllable medical image generation with "
            "segmentation-guided diffusion models, MICCAI 2024",
            doi="10.48550/arXiv.2402.05210",
            reproduces="mechanism",
            deviations=(
                "2D or 3D at the size of the data instead of 2D at 256x256",
                "a smaller U-Net without attention, on blocks of 2 voxels a side",
                "velocity instead of noise prediction on a continuous cosine schedule: converges "
                "in minutes",
                "10 DDIM steps instead of 50 or 1000 ancestral ones",
                "an exponential moving average of the weights draws",
            ),
        ),
    )
