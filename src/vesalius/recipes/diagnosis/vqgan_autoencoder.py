"""VQGAN: the autoencoder whose tokens a transformer draws."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1
from vesalius.generative.objectives import AdversarialReconstruction
from vesalius.generative.samplers import Prior
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.recipes.embedded import digital_patients


def vqgan_autoencoder() -> Recipe:
    """Tokens that decode to images that pass for real, for vqgan-transformer to start from."""
    return Recipe(
        name="vqgan-autoencoder",
        summary="An autoencoder with a codebook learns by pixels and by what a critic of patches "
        "sees. Alone it draws each token by itself; vqgan-transformer starts from it.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "encoder": Call(Encoder, width=32, multipliers=(1, 2), patch=2),
            "decoder": Call(Decoder, width=32, multipliers=(1, 2), patch=2),
            "codebook": Call(Codebook, width=8, codes=256),
            "critic": Call(PatchDiscriminator, width=16, n_layers=2),
        },
        objective=Call(
            AdversarialReconstruction,
            losses=(Call(L1),),
            latents="vq",
            features=8,
            codes=256,
            kind="hinge",
            adversarial=0.05,
            matching=0.5,
            begin=0.4,
        ),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=600, batch_size=16),
        provenance=Provenance(
            title="Esser et al., Taming transformers for high-resolution image synthesis, CVPR "
            "2021",
            doi="10.48550/arXiv.2012.09841",
            reproduces="mechanism",
            deviations=(
                "features of the critic are matched in place of LPIPS, so that volumes need no "
                "network of slices; weights are fixed instead of balanced by gradients",
                "codebook by moving averages, 256 codes of 8 features instead of 1024 of 256",
                "tokens stand for 4 voxels a side instead of 16; width 32, without attention",
                "the critic plays after 0.4 of the budget",
            ),
        ),
    )
