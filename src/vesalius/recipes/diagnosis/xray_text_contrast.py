"""Reports and images that know each other: the first stage of Chest-Diffusion."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import Contrastive
from vesalius.generative.samplers import Direct
from vesalius.networks.image_embedder import ImageEmbedder
from vesalius.networks.logit_scale import LogitScale
from vesalius.networks.text_encoder import TextEncoder
from vesalius.recipes.embedded import slice_from_text


def xray_text_contrast() -> Recipe:
    """Encoders of reports and of images that find each other; nothing is drawn."""
    return Recipe(
        name="xray-text-contrast",
        summary="A transformer of report tokens and a residual network of images learn vectors by "
        "which each report finds its image among others. It draws nothing: others start from it.",
        task=slice_from_text(28),
        networks={
            "given_encoder": Call(TextEncoder, width=64, n_layers=2, dropout=0.1),
            "wanted_encoder": Call(ImageEmbedder, width=16, levels=3, dropout=0.1),
            "scale": Call(LogitScale),
        },
        objective=Call(Contrastive, kind="clip", features=64, given="text"),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, weight_decay=1e-2, warmup_steps=50),
        budget=Budget(steps=500, batch_size=64),
        provenance=Provenance(
            title="Radford et al., Learning transferable visual models from natural language "
            "supervision, ICML 2021, for the first stage of Chest-Diffusion (ISBI 2024)",
            doi="10.48550/arXiv.2103.00020",
            reproduces="mechanism",
            deviations=(
                "both encoders are small and learn from nothing, not from BiomedCLIP",
                "reports are written from what is known of a case",
                "images that share a report's words count as strangers to it, as in CLIP",
            ),
        ),
    )
