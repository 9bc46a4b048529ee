"""StyleGAN2: codes become styles, and styles scale what a generator's convolutions weigh."""

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
from vesalius.recipes.embedded import digital_patients

#: Two doublings: 28 x 28 begin as 7 x 7. For 64 x 64: extent 64 and (1, 2, 2, 4, 4).
MULTIPLIERS = (1, 2, 4)


def stylegan() -> Recipe:
    """Images from noise by way of a style (StyleGAN2)."""
    return Recipe(
        name="stylegan",
        summary="StyleGAN2: a mapping of codes to styles, modulated convolutions with noise, and a "
        "residual discriminator; logistic loss with R1, path lengths and mixed styles.",
        task=tasks.get("xrays", digital_patients()),
        networks={
            "mapping": Call(StyleMapping, n_layers=8),
            "generator": Call(StyleGenerator, width=16, multipliers=MULTIPLIERS, extent=28),
            "critic": Call(StyleDiscriminator, width=16, multipliers=MULTIPLIERS, extent=28),
        },
        objective=Call(
            StyleSynthesis,
            channels=64,
            features=64,
            mixing=0.9,
            r1=0.1,
            r1_every=8,
            path_length=Call(PathLength, weight=2.0, decay=0.01, every=8),
        ),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(
            rate=6e-3, betas=(0.0, 0.99), clip_norm=None, schedule="constant", ema_decay=0.99
        ),
        budget=Budget(steps=3000, batch_size=16),
        provenance=Provenance(
            system="stylegan",
            title="Karras et al., Analyzing and improving the image quality of StyleGAN, CVPR 2020",
            doi="10.48550/arXiv.1912.04958",
            reproduces="equations",
            deviations=(
                "StyleGAN2, where the review cites the first StyleGAN of 2019",
                "two doublings from 7 x 7; codes and styles of 64 instead of 512, 64 to 16 "
                "channels instead of 512",
                "a rate of 6e-3 instead of 2e-3 and a shorter moving average, for short trainings",
                "a gamma of 0.1 for R1, every 8 steps, for images of 28 x 28",
                "R1 and path lengths are added to the loss of their steps instead of taking steps "
                "of their own",
                "the mean path length begins with the first lengths instead of zero",
                "the critic's loss, R1 with it, is the mean of two halves instead of their sum",
                "all drawn from the moving average, without truncation",
            ),
        ),
    )
