"""DCGAN: strided and transposed convolutions, batch normalisation, a vector of 100."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import AdversarialSynthesis
from vesalius.generative.samplers import Prior
from vesalius.networks.dcgan_discriminator import DcganDiscriminator
from vesalius.networks.dcgan_generator import DcganGenerator
from vesalius.recipes.embedded import digital_patients

#: Three doublings: an image of 28 x 28 is cropped of one of 32 x 32, which began as 4 x 4.
MULTIPLIERS = (1, 2, 4)


def dcgan() -> Recipe:
    """Images from noise by transposed convolutions, as the first GAN that trained well did."""
    return Recipe(
        name="dcgan",
        summary="A vector of 100 normal numbers becomes an image by transposed convolutions with "
        "batch normalisation, against a mirrored discriminator, with the logistic loss.",
        task=tasks.get("xrays", digital_patients()),
        networks={
            "generator": Call(DcganGenerator, width=32, multipliers=MULTIPLIERS, extent=32),
            "critic": Call(DcganDiscriminator, width=32, multipliers=MULTIPLIERS, extent=32),
        },
        objective=Call(AdversarialSynthesis, channels=100, kind="logistic"),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(
            rate=2e-4, betas=(0.5, 0.999), clip_norm=None, schedule="constant", ema_decay=0.99
        ),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            system="dcgan",
            title="Radford et al., Unsupervised representation learning with deep convolutional "
            "generative adversarial networks, ICLR 2016",
            doi="10.48550/arXiv.1511.06434",
            reproduces="equations",
            deviations=(
                "three doublings to 32 x 32, cropped to the image, instead of four to 64 x 64",
                "128 to 32 channels instead of 1024 to 128, batches of 32 instead of 128",
                "the critic's loss is the mean of its two halves instead of their sum",
                "an exponential moving average of the generator draws",
            ),
        ),
    )
