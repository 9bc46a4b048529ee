"""RED-WGAN: denoising with a Wasserstein critic and features of photographs."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L2, EfficientNetLite0Maps, Perceptual
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def red_wgan() -> Recipe:
    """Denoising: squared error, a perceptual loss and a Wasserstein critic."""
    return Recipe(
        name="red-wgan",
        summary="An encoder-decoder with skips denoises; squared error, 0.1 of a frozen network's "
        "features and 0.001 of a Wasserstein critic with gradient penalty.",
        task=tasks.get("xray-denoising", digital_patients()),
        networks={
            "generator": Call(UNet, width=32, multipliers=(1, 2, 4)),
            "critic": Call(PatchDiscriminator, width=32, n_layers=2, norm="none"),
        },
        objective=Call(
            PairedAdversarial,
            losses=(
                Call(L2),
                Call(
                    Perceptual,
                    weight=0.1,
                    norm="l2",
                    features=Call(EfficientNetLite0Maps, blocks=(4,)),
                ),
            ),
            kind="wasserstein",
            adversarial=1e-3,
            gradient_penalty=10.0,
            critic_sees="image",
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=5e-4, betas=(0.5, 0.9), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            system="red-wgan",
            title="Ran et al., Denoising of 3D magnetic resonance images using a residual "
            "encoder-decoder Wasserstein generative adversarial network, Medical Image Analysis "
            "2019",
            doi="10.48550/arXiv.1808.03941",
            reproduces="mechanism",
            deviations=(
                "Gaussian noise on X-rays or slices in place of Rician noise on MR volumes",
                "a U-Net of three resolutions in place of eight convolutions at one",
                "features of EfficientNet-Lite0 in place of VGG19",
                "one step of a patch critic for each of the generator's instead of three of a "
                "critic of whole patches",
                "a falling rate from 5e-4 instead of 5e-6; a moving average of the weights draws",
            ),
        ),
    )
