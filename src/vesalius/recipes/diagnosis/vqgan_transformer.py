"""VQGAN and a causal transformer of its tokens, in 2D and 3D."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import NextToken, VectorQuantised
from vesalius.generative.samplers import NextTokenSampler
from vesalius.networks.token_transformer import TokenTransformer
from vesalius.recipes.diagnosis.vqgan_autoencoder import vqgan_autoencoder


def vqgan_transformer() -> Recipe:
    """Images from nothing: a transformer draws tokens one by one, a critic's decoder images."""
    first = vqgan_autoencoder()
    own = ("encoder", "decoder", "codebook")
    return Recipe(
        name="vqgan-transformer",
        summary="An autoencoder is trained first, against a critic; a causal transformer then "
        "learns to draw its tokens, one after another.",
        task=first.task,
        networks={
            **{name: first.networks[name] for name in own},
            "prior": Call(
                TokenTransformer, causal=True, neighbours=True, width=96, n_layers=4, dropout=0.1
            ),
        },
        starts={name: Start(recipe=first.name, network=name, effort=0.5) for name in own},
        objective=Call(VectorQuantised, prior=Call(NextToken), features=8, codes=256, share=0.0),
        conditioning=Call(Unconditional),
        sampler=Call(NextTokenSampler),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=16),
        provenance=Provenance(
            title="Esser et al., Taming transformers for high-resolution image synthesis, CVPR "
            "2021",
            doi="10.48550/arXiv.2012.09841",
            reproduces="mechanism",
            deviations=(
                "see vqgan-autoencoder",
                "4 layers of width 96 instead of 24 of 1024; places by sines and cosines instead "
                "of learnt vectors, and a causal convolution over the tokens next to each",
                "all tokens are attended to, where the paper slides a window over large images",
                "draws of the full distribution instead of the likeliest 100 kinds",
            ),
        ),
    )
