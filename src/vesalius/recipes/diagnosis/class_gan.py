"""A GAN that is told a class, for few images."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Concatenation
from vesalius.generative.objectives import AdaptiveAugmentation, AdversarialSynthesis
from vesalius.generative.samplers import Prior
from vesalius.networks.decoder import Decoder
from vesalius.networks.projection_discriminator import ProjectionDiscriminator
from vesalius.recipes.embedded import slice_from_class

#: Three halvings: an image of 28 x 28 comes of a grid of 4 x 4.
MULTIPLIERS = (1, 2, 4, 4)


def class_gan() -> Recipe:
    """Image from a class, from noise: projection critic, R1, adaptive augmentation."""
    return Recipe(
        name="class-gan",
        summary="A generator from noise and a class against a projection critic, logistic loss "
        "with R1, and augmentation of all that the critic sees as it begins to learn by heart.",
        task=slice_from_class(28),
        networks={
            "generator": Call(Decoder, width=16, multipliers=MULTIPLIERS),
            "critic": Call(ProjectionDiscriminator, width=12, levels=4, batch_deviation=True),
        },
        objective=Call(
            AdversarialSynthesis,
            channels=16,
            kind="logistic",
            r1=0.5,
            augmentation=Call(AdaptiveAugmentation, pace_images=50_000),
        ),
        conditioning=Call(Concatenation),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=1e-3, betas=(0.0, 0.99), clip_norm=None, ema_decay=0.995),
        budget=Budget(steps=4000, batch_size=16),
        provenance=Provenance(
            title="Own recipe: Miyato & Koyama 2018 (projection), Mescheder et al. 2018 (R1) and "
            "Karras et al. 2020 (adaptive augmentation)",
            doi="10.48550/arXiv.2006.06676",
            reproduces="mechanism",
            deviations=(
                "a residual generator of width 16 without style modulation, a critic of width 12",
                "R1 at every step, of images before augmentation",
                "the probability of augmentation moves ten times faster, for short trainings; no "
                "rotations, scalings or colours",
                "an exponential moving average of the generator draws",
            ),
        ),
    )
