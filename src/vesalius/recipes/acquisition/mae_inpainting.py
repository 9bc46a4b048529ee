"""Holes filled by a masked autoencoder."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import MaskedAutoencoder
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_transformer import PatchTransformer
from vesalius.recipes.embedded import digital_patients


def mae_inpainting() -> Recipe:
    """Inpainting by a transformer that learns to fill in hidden patches."""
    return Recipe(
        name="mae-inpainting",
        summary="A small vision transformer sees the patches that are not hidden and fills in the "
        "others; a draw fills the hole.",
        task=tasks.get("xray-inpainting", digital_patients()),
        networks={"network": Call(PatchTransformer, patch=4, width=96, n_layers=4)},
        objective=Call(MaskedAutoencoder, patch=4, least=0.25, most=0.75),
        sampler=Call(Direct),
        optimiser=Optimiser(
            rate=1e-3, betas=(0.9, 0.95), weight_decay=0.05, warmup_steps=200, ema_decay=0.998
        ),
        budget=Budget(steps=4000, batch_size=64),
        provenance=Provenance(
            title="He et al., Masked autoencoders are scalable vision learners, CVPR 2022",
            doi="10.1109/CVPR52688.2022.01553",
            reproduces="mechanism",
            deviations=(
                "trained to fill holes, not to be fine-tuned: the hole of a training case is "
                "hidden first, and between a quarter and three quarters of the patches",
                "voxels in model units are predicted, not those of every patch by its own mean "
                "and deviation, which a hole would not tell",
                "patches of 4x4 on 28x28 images; 4 layers of width 96",
            ),
        ),
    )
