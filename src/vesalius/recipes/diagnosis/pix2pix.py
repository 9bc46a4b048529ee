"""pix2pix: paired translation with a conditional adversary."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.pix2pix_unet import Pix2PixUNet
from vesalius.recipes.embedded import digital_patients


def pix2pix() -> Recipe:
    """Paired translation: U-Net generator, patch critic on pairs, L1."""
    return Recipe(
        name="pix2pix",
        summary="U-Net generator with dropout as its noise, a patch critic that sees pairs, "
        "logistic adversarial loss plus 100 L1.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={
            "generator": Call(Pix2PixUNet, width=32, levels=6),
            "critic": Call(PatchDiscriminator, width=32, n_layers=3),
        },
        objective=Call(PairedAdversarial, losses=(Call(L1, weight=100.0),), kind="logistic"),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=4e-4, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=2000, batch_size=4),
        draws=4,
        provenance=Provenance(
            system="pix2pix",
            title="Isola et al., Image-to-image translation with conditional adversarial networks, "
            "CVPR 2017",
            doi="10.1109/CVPR.2017.632",
            reproduces="mechanism",
            deviations=(
                "128x128 images: 6 halvings instead of 8; both networks of width 32 instead of 64",
                "instance in place of batch normalisation, which the paper's batch of one amounts "
                "to",
                "batches of 4 at a rate of 4e-4 with a cosine fall instead of 1 at 2e-4 with a "
                "linear one",
                "an exponential moving average of the generator draws",
            ),
        ),
    )
