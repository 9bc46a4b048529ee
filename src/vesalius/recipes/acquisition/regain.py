"""REGAIN: resolution by a critic and distances of Fourier coefficients."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import Frequency
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def regain() -> Recipe:
    """MR super-resolution: GAN whose only other loss is L1 of Fourier coefficients."""
    return Recipe(
        name="regain",
        summary="A U-Net restores what the outer part of k-space would have added; a patch critic, "
        "and 100 times the mean distance of Fourier coefficients.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={
            "generator": Call(UNet, width=32, patch=2),
            "critic": Call(PatchDiscriminator, width=32, n_layers=3),
        },
        objective=Call(
            PairedAdversarial,
            losses=(Call(Frequency, weight=100.0, compare="complex"),),
            kind="logistic",
            critic_sees="image",
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=5e-4, betas=(0.5, 0.999), warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=4),
        provenance=Provenance(
            system="regain",
            title="Yoon et al., Accelerated cardiac MRI cine with use of resolution enhancement "
            "generative adversarial inline neural network, Radiology 2023",
            doi="10.1148/radiol.222878",
            reproduces="mechanism",
            deviations=(
                "written from the review's summary: networks, weights and acceleration of the "
                "paper were not seen",
                "slices of the head with a quarter of k-space along both axes in place of cine "
                "frames with few phase-encoding lines",
                "a U-Net, not residual to its input; the kind of critic and the weight of 100 are "
                "our own",
            ),
        ),
    )
