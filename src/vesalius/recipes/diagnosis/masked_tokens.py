"""A transformer that fills in hidden grey levels."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.codecs import GreyLevels
from vesalius.generative.objectives import MaskedToken
from vesalius.generative.paths import AbsorbingPath
from vesalius.generative.samplers import Unmasking
from vesalius.networks.token_transformer import TokenTransformer
from vesalius.recipes.embedded import slice_from_class


def masked_tokens() -> Recipe:
    """Image from a class, many pixels at once, by a transformer that fills in what is hidden."""
    return Recipe(
        name="masked-tokens",
        summary="A transformer predicts hidden pixels, as one of 16 grey levels, from those that "
        "show and the class; draws show more and more of them.",
        task=slice_from_class(28),
        networks={"network": Call(TokenTransformer, neighbours=True, width=64, n_layers=4)},
        path=Call(AbsorbingPath, schedule="cosine"),
        objective=Call(MaskedToken),
        codec=Call(GreyLevels, levels=16),
        sampler=Call(Unmasking, steps=32, order="random"),
        optimiser=Optimiser(rate=2e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=900, batch_size=8),
        provenance=Provenance(
            title="Own recipe; Chang et al. 2022, MaskGIT, on grey levels instead of learnt tokens",
            doi="10.48550/arXiv.2202.04200",
        ),
    )
