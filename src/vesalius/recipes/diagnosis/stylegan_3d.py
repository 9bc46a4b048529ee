"""3D-StyleGAN: StyleGAN2 for volumes, of narrow width."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import PathLength, StyleSynthesis
from vesalius.generative.samplers import Prior
from vesalius.networks.style_discriminator import StyleDiscriminator
from vesalius.networks.style_generator import StyleGenerator
from vesalius.networks.style_mapping import StyleMapping
from vesalius.recipes.embedded import head_volumes

#: Three doublings: 32 x 32 x 32 begin as 4 x 4 x 4. All ones are the paper's constant width.
MULTIPLIERS = (1, 2, 4, 4)


def stylegan_3d() -> Recipe:
    """Volumes from noise by way of a style."""
    return Recipe(
        name="stylegan-3d",
        summary="StyleGAN2 with three axes of space and few channels; "
        "real volumes can be projected onto its styles.",
        task=tasks.get("hippocampus-volumes", head_volumes()),
        networks={
            "mapping": Call(StyleMapping, n_layers=8),
            "generator": Call(StyleGenerator, width=8, multipliers=MULTIPLIERS, extent=32),
            "critic": Call(StyleDiscriminator, width=8, multipliers=MULTIPLIERS, extent=32),
        },
        objective=Call(
            StyleSynthesis,
            channels=64,
            features=64,
            mixing=0.9,
            r1=1.0,
            r1_every=8,
            path_length=Call(PathLength, weight=2.0, decay=0.01, every=8),
        ),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(
            rate=6e-3, betas=(0.0, 0.99), clip_norm=None, schedule="constant", ema_decay=0.99
        ),
        budget=Budget(steps=1000, batch_size=4),
        provenance=Provenance(
            system="stylegan-3d",
            title="Hong et al., 3D-StyleGAN: a style-based generative adversarial network for "
            "generative modeling of three-dimensional medical images, DGM4MICCAI 2021",
            doi="10.48550/arXiv.2107.09700",
            reproduces="equations",
            deviations=(
                "volumes of 32 x 32 x 32 that begin as 4 x 4 x 4, instead of 80 x 96 x 112 that "
                "begin as 5 x 6 x 7; extent=(80, 96, 112) and a fifth multiplier are theirs",
                "8 channels at full resolution, 16 and 32 below, where the paper has 96 at all of "
                "them: steps are several times quicker on a CPU; codes and styles of 64",
                "a rate of 6e-3 instead of 2e-3 and a shorter moving average, for short trainings",
                "images of all resolutions are summed up, as in StyleGAN2's better configuration; "
                "theirs has no such skips",
                "a gamma of 1 for R1, every 8 steps, for small volumes",
                "the mean path length begins with the first lengths instead of zero",
                "all drawn from the moving average, without truncation",
            ),
        ),
    )
