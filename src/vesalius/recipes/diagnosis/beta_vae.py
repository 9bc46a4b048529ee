"""beta-VAE: images from a few numbers, each of its own meaning."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Likelihood, Variational
from vesalius.generative.samplers import Prior
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.recipes.embedded import digital_patients

#: Six halvings: an image of 64 x 64 becomes a vector.
MULTIPLIERS = (1, 2, 4, 4, 4, 4, 4)


def beta_vae() -> Recipe:
    """Images from a vector of 32 numbers that are pressed to be independent."""
    return Recipe(
        name="beta-vae",
        summary="A variational autoencoder whose code is one vector and whose KL counts four-fold.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "encoder": Call(Encoder, width=8, multipliers=MULTIPLIERS),
            "decoder": Call(Decoder, width=8, multipliers=MULTIPLIERS),
        },
        objective=Call(
            Variational,
            channels=32,
            beta=4.0,
            warm_up=0.1,
            likelihood=Call(Likelihood, kind="gaussian", scale=0.1),
        ),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=16),
        provenance=Provenance(
            system="beta-vae",
            title="Higgins et al., beta-VAE: learning basic visual concepts with a constrained "
            "variational framework, ICLR 2017",
            doi="",
            reproduces="equations",
            deviations=(
                "residual networks of width 8 with group normalisation",
                "Gaussian voxels with a standard deviation of 0.1 in model units, since grey "
                "values are no chances",
                "beta rises from 0 to 4 over the first tenth of training",
                "an exponential moving average of the weights draws",
            ),
        ),
    )
