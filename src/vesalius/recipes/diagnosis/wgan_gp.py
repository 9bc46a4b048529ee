"""WGAN-GP: the critic measures a distance, and its slope is held at one."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import AdversarialSynthesis
from vesalius.generative.samplers import Prior
from vesalius.networks.decoder import Decoder
from vesalius.networks.projection_discriminator import ProjectionDiscriminator
from vesalius.recipes.embedded import digital_patients

#: Three halvings: an image of 28 x 28 comes of a grid of 4 x 4.
MULTIPLIERS = (1, 2, 4, 4)


def wgan_gp() -> Recipe:
    """Images from noise: a Wasserstein critic with a gradient penalty, five steps to one."""
    return Recipe(
        name="wgan-gp",
        summary="A generator from noise against a Wasserstein critic whose slope between real and "
        "drawn images is held at one; five steps of the critic for one of the generator.",
        task=tasks.get("xrays", digital_patients()),
        networks={
            "generator": Call(Decoder, width=16, multipliers=MULTIPLIERS),
            "critic": Call(ProjectionDiscriminator, width=12, levels=4),
        },
        objective=Call(
            AdversarialSynthesis,
            channels=16,
            kind="wasserstein",
            gradient_penalty=10.0,
            critic_steps=5,
        ),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=5e-4, betas=(0.0, 0.9), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=16),
        provenance=Provenance(
            title="Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017",
            doi="10.48550/arXiv.1704.00028",
            reproduces="equations",
            deviations=(
                "the five steps of the critic see one batch of real images, each against fresh "
                "draws; each has its own moments",
                "residual networks of width 16 and 12, a rate of 5e-4 instead of 1e-4",
                "the critic's loss and its penalty are halved together",
                "an exponential moving average of the generator draws",
            ),
        ),
    )
