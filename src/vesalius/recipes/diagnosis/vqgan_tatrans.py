"""VQGAN with a masked transformer of its tokens."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1, EfficientNetLite0Maps, Gradient, Perceptual
from vesalius.generative.objectives import MaskedToken, VectorQuantised
from vesalius.generative.paths import AbsorbingPath
from vesalius.generative.samplers import Unmasking
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.token_transformer import TokenTransformer
from vesalius.recipes.embedded import slice_from_class


def vqgan_tatrans() -> Recipe:
    """Image from a class: tokens of a codebook, filled in many at a time in any order."""
    return Recipe(
        name="vqgan-tatrans",
        summary="An autoencoder with a codebook learns by pixels, features and gradients; a "
        "transformer that sees both ways fills in its tokens for a class.",
        task=slice_from_class(64),
        networks={
            "encoder": Call(Encoder, width=16, multipliers=(1, 2, 4)),
            "decoder": Call(Decoder, width=16, multipliers=(1, 2, 4)),
            "codebook": Call(Codebook, width=8, codes=128),
            "prior": Call(TokenTransformer, width=64, n_layers=4, dropout=0.1),
        },
        path=Call(AbsorbingPath, schedule="cosine"),
        objective=Call(
            VectorQuantised,
            losses=(
                Call(L1),
                Call(Perceptual, weight=0.1, features=Call(EfficientNetLite0Maps, blocks=(0, 2))),
                Call(Gradient),
            ),
            prior=Call(MaskedToken),
            features=8,
            codes=128,
            commitment=0.25,
            share=0.5,
        ),
        sampler=Call(Unmasking, steps=12, order="confidence"),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2000, batch_size=8),
        provenance=Provenance(
            system="vqgan-tatrans",
            title="Zhou & Khalvati, Conditional generation of 3D brain tumor regions via VQGAN and "
            "temporal-agnostic masked transformer, MIDL 2024",
            reproduces="mechanism",
            deviations=(
                "written from the title and the review's summary: weights and sizes are our own",
                "no critic, hence no adversarial term and no matching of its features",
                "slices of the head by age in place of 3D tumour regions by grade",
                "codebook by moving averages; features of EfficientNet-Lite0",
                "autoencoder and prior in one run",
            ),
        ),
    )
