"""VAE-GAN: an autoencoder that is told by a critic what is alike."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import VariationalAdversarial
from vesalius.generative.samplers import Prior
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.projection_discriminator import ProjectionDiscriminator
from vesalius.recipes.embedded import digital_patients

#: Four halvings: an image of 64 x 64 becomes a grid of 4 x 4.
MULTIPLIERS = (1, 2, 4, 4, 4)


def vae_gan() -> Recipe:
    """Images from nothing: a variational autoencoder whose likeness is a critic's."""
    return Recipe(
        name="vae-gan",
        summary="Encoder, decoder and critic: images are alike where the critic's features are, "
        "and draws as well as reconstructions must pass for real.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "encoder": Call(Encoder, width=8, multipliers=MULTIPLIERS),
            "decoder": Call(Decoder, width=8, multipliers=MULTIPLIERS),
            "critic": Call(ProjectionDiscriminator, width=8, levels=5),
        },
        objective=Call(VariationalAdversarial, channels=8, likeness=1.0, layer=1, r1=1.0),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=5e-4, betas=(0.5, 0.99), clip_norm=None, ema_decay=0.995),
        budget=Budget(steps=2000, batch_size=16),
        provenance=Provenance(
            system="vae-gan",
            title="Larsen et al., Autoencoding beyond pixels using a learned similarity metric, "
            "ICML 2016",
            doi="10.48550/arXiv.1512.09300",
            reproduces="equations",
            deviations=(
                "the review's glioma VAE-GAN has no paper that matches: this is the classic, on "
                "MR slices",
                "draws and reconstructions count half each beside the real images of the critic",
                "non-saturating losses, R1 on the critic and one learning rate",
                "residual networks of width 8, a code of 8 channels on a grid of 4x4",
                "an exponential moving average of the decoder draws",
            ),
        ),
    )
