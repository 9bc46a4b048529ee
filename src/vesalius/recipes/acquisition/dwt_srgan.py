"""DWT-SRGAN: super-resolution that is held to wavelet sub-bands."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import EfficientNetLite0Maps, Perceptual, Wavelet
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def dwt_srgan() -> Recipe:
    """MR super-resolution: GAN with squared errors of wavelet sub-bands and a perceptual loss."""
    return Recipe(
        name="dwt-srgan",
        summary="A generator of super-resolution, held to the sub-bands of a Haar transform and to "
        "a frozen network's features, with a thousandth of a critic.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={
            "generator": Call(UNet, width=32, patch=2),
            "critic": Call(PatchDiscriminator, width=32, n_layers=3),
        },
        objective=Call(
            PairedAdversarial,
            losses=(
                Call(Wavelet, weight=10.0, levels=2, norm="l2"),
                Call(
                    Perceptual,
                    weight=0.1,
                    norm="l2",
                    features=Call(EfficientNetLite0Maps, blocks=(4,)),
                ),
            ),
            kind="logistic",
            adversarial=1e-3,
            critic_sees="image",
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=5e-4, betas=(0.5, 0.999), warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=4),
        provenance=Provenance(
            system="dwt-srgan",
            title="Balasubramanian et al., super-resolution of MRI by SRGAN on wavelet sub-bands, "
            "ICAISS 2022 (as the review describes it)",
            reproduces="mechanism",
            deviations=(
                "written from the review's summary: the paper's text was not seen",
                "the generator draws pixels, and its sub-bands are compared; theirs takes and "
                "predicts sub-bands. An orthonormal transform gives the same squared error",
                "features of EfficientNet-Lite0 in place of VGG19",
                "a U-Net in place of 16 residual blocks; loss weights are our own, but for the "
                "critic's",
            ),
        ),
    )
