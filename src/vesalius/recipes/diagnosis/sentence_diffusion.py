"""Diffusion that is told a report by a reader which was trained on other texts."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.data.vocabulary import SentenceVocabulary
from vesalius.generative.conditioning import Dropped, Text
from vesalius.generative.guidance import ClassifierFree
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import DpmSolver, LevelsOf
from vesalius.networks.sentence_encoder import SentenceEncoder
from vesalius.networks.uvit import UViT
from vesalius.recipes.embedded import slice_from_text


def sentence_diffusion() -> Recipe:
    """Image from a report, read by a pretrained sentence encoder; needs the extra 'text'."""
    reading = Call(Text, features=384, learns=False, vocabulary=Call(SentenceVocabulary, length=48))
    return Recipe(
        name="sentence-diffusion",
        summary="A U-ViT denoises patches beside the features that all-MiniLM-L6-v2, which stands "
        "still, has at every word of the report.",
        task=slice_from_text(28),
        networks={
            "network": Call(UViT, patch=4, width=96, n_layers=5, heads=4),
            "text_encoder": Call(SentenceEncoder),
        },
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Dropped, inner=reading, drop=0.1),
        guidance=(Call(ClassifierFree, scale=1.5),),
        sampler=Call(
            DpmSolver, steps=12, beginning=Call(LevelsOf, other=Call(KarrasPath, data_std=0.5))
        ),
        optimiser=Optimiser(rate=2e-3, betas=(0.9, 0.99), warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=2400, batch_size=8),
        provenance=Provenance(
            title="Own recipe; Bao et al. 2023 (U-ViT) and Reimers & Gurevych 2019 "
            "(sentence encoders)",
            doi="10.48550/arXiv.2209.12152",
        ),
    )
