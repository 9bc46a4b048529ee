"""MedGAN: style and features beside the critic."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import EfficientNetLite0Maps, Perceptual, Style
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.pix2pix_unet import Pix2PixUNet
from vesalius.recipes.embedded import digital_patients


def medgan() -> Recipe:
    """Paired translation: a critic's own features, and content and style of a frozen network's."""
    return Recipe(
        name="medgan",
        summary="A U-Net generator is held to the critic's features of the true image, and to "
        "content and style (Gram matrices) in a frozen network's; no loss of grey values.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={
            "generator": Call(Pix2PixUNet, width=32, levels=6, dropout_at_test=False),
            "critic": Call(PatchDiscriminator, width=32, n_layers=3),
        },
        objective=Call(
            PairedAdversarial,
            losses=(
                Call(Style, features=Call(EfficientNetLite0Maps, blocks=(0, 2, 4))),
                Call(Perceptual, norm="l2", features=Call(EfficientNetLite0Maps, blocks=(10,))),
            ),
            kind="logistic",
            matching=20.0,
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=4e-4, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=4),
        provenance=Provenance(
            title="Armanious et al., MedGAN: medical image translation using GANs, Computerized "
            "Medical Imaging and Graphics 2020",
            doi="10.48550/arXiv.1806.06397",
            reproduces="mechanism",
            deviations=(
                "one U-Net in place of a cascade of them (CasNet)",
                "features of EfficientNet-Lite0 in place of VGG19; weights of style and content "
                "are our own, since features differ in size",
                "the critic's features are matched behind its convolutions, not at its input; "
                "without dropout when drawing",
                "T1 to T2 in place of PET to CT, motion correction and denoising; one step of the "
                "generator a step of the critic",
            ),
        ),
    )
