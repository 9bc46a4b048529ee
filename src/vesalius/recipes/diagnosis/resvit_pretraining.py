"""The convolutions of ResViT before its transformers join."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.resvit_generator import ResViTGenerator
from vesalius.recipes.embedded import digital_patients


def resvit_pretraining() -> Recipe:
    """Paired translation: ResViT's residual blocks alone, from which `resvit` begins."""
    return Recipe(
        name="resvit-pretraining",
        summary="Residual convolution blocks against a patch critic that sees pairs, least-squares "
        "adversarial loss plus 100 L1: ResViT while its transformers wait.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={
            "generator": Call(ResViTGenerator, width=24, transformers=False),
            "critic": Call(PatchDiscriminator, width=32, n_layers=3),
        },
        objective=Call(PairedAdversarial, losses=(Call(L1, weight=100.0),), kind="least-squares"),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=4e-4, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=700, batch_size=4),
        provenance=Provenance(
            title="First stage of Dalmaz et al., ResViT: residual vision transformers for "
            "multimodal medical image synthesis, IEEE TMI 2022",
            doi="10.1109/TMI.2022.3167808",
            reproduces="mechanism",
            deviations=(
                "batches of 4 at a rate of 4e-4 with a cosine fall instead of 1 at 2e-4 with a "
                "linear one",
                "an exponential moving average of the generator is what the second stage begins "
                "from",
            ),
        ),
    )
