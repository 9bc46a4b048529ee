"""VQ-VAE: images as tokens of a codebook, drawn by a prior of tokens."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L2
from vesalius.generative.objectives import NextToken, VectorQuantised
from vesalius.generative.samplers import NextTokenSampler
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.token_transformer import TokenTransformer
from vesalius.recipes.embedded import digital_patients


def vq_vae() -> Recipe:
    """Images from tokens of a learnt codebook, which an autoregressive prior draws."""
    return Recipe(
        name="vq-vae",
        summary="An autoencoder with a codebook between, then a causal transformer of its tokens.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={
            "encoder": Call(Encoder, width=16, multipliers=(1, 2, 4)),
            "decoder": Call(Decoder, width=16, multipliers=(1, 2, 4)),
            "codebook": Call(Codebook, width=8, codes=128),
            "prior": Call(
                TokenTransformer, causal=True, neighbours=True, width=64, n_layers=4, dropout=0.1
            ),
        },
        objective=Call(
            VectorQuantised,
            losses=(Call(L2),),
            prior=Call(NextToken),
            features=8,
            codes=128,
            commitment=0.25,
            share=0.4,
        ),
        sampler=Call(NextTokenSampler),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2000, batch_size=16),
        provenance=Provenance(
            system="vq-vae",
            title="van den Oord et al., Neural discrete representation learning, NeurIPS 2017",
            doi="10.48550/arXiv.1711.00937",
            reproduces="equations",
            deviations=(
                "the prior is a causal transformer, not a PixelCNN",
                "codebook by moving averages (the paper's appendix A.1), and codes that nothing "
                "uses start again as features",
                "128 codes of 8 features instead of 512 of 64; 64x64 images of one channel",
                "autoencoder and prior share one falling learning rate",
            ),
        ),
    )
