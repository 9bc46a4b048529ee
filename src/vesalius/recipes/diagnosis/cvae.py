"""CVAE: images of a class from a code that need not say the class."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Concatenation
from vesalius.generative.objectives import Likelihood, Variational
from vesalius.generative.samplers import Prior
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.recipes.embedded import slice_from_class

#: Five halvings: an image of 28 x 28 becomes a vector.
MULTIPLIERS = (1, 2, 4, 4, 4, 4)


def cvae() -> Recipe:
    """Image from a class: a variational autoencoder whose encoder and decoder both see it."""
    return Recipe(
        name="cvae",
        summary="Encoder and decoder see one constant channel for each class beside image and "
        "code; draws decode a code from a standard normal for the class.",
        task=slice_from_class(28),
        networks={
            "encoder": Call(Encoder, width=12, multipliers=MULTIPLIERS),
            "decoder": Call(Decoder, width=12, multipliers=MULTIPLIERS),
        },
        objective=Call(
            Variational,
            channels=32,
            beta=1.0,
            warm_up=0.1,
            likelihood=Call(Likelihood, kind="gaussian", scale=0.1),
        ),
        conditioning=Call(Concatenation),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=4000, batch_size=16),
        provenance=Provenance(
            system="cvae",
            title="Sohn et al., Learning structured output representation using deep conditional "
            "generative models, NeurIPS 2015",
            doi="",
            reproduces="equations",
            deviations=(
                "the prior of the code does not depend on what is given (the paper's relaxed "
                "form), so no network of its own",
                "a class is given and an image drawn; the paper draws label maps of given images",
                "Gaussian voxels with a standard deviation of 0.1 in model units",
                "beta rises from 0 to 1 over the first tenth of training",
                "an exponential moving average of the weights draws",
            ),
        ),
    )
