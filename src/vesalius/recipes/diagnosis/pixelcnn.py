"""PixelCNN: an image grey level by grey level, by gated causal convolutions."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.codecs import GreyLevels
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import NextToken
from vesalius.generative.samplers import NextTokenSampler
from vesalius.networks.gated_pixel_cnn import GatedPixelCnn
from vesalius.recipes.embedded import digital_patients


def pixelcnn() -> Recipe:
    """Images from nothing, pixel after pixel, by convolutions over the pixels before."""
    return Recipe(
        name="pixelcnn",
        summary="Gated convolutions over the rows above and the pixels to the left predict each of "
        "784 pixels, as one of 16 grey levels, from those before it.",
        task=tasks.get("xrays", digital_patients()),
        networks={"network": Call(GatedPixelCnn, width=48, n_layers=8, reach=2)},
        objective=Call(NextToken),
        codec=Call(GreyLevels, levels=16),
        conditioning=Call(Unconditional),
        sampler=Call(NextTokenSampler),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1000, batch_size=8),
        provenance=Provenance(
            title="van den Oord et al., Conditional image generation with PixelCNN decoders, "
            "NeurIPS 2016",
            doi="10.48550/arXiv.1606.05328",
            reproduces="equations",
            deviations=(
                "16 grey levels instead of 256; 8 layers of 48 features with kernels of 5",
                "grey levels come in as learnt vectors, not as one number",
                "the last logits are of the sum of all layers' skips, and nothing is between",
                "no condition",
            ),
        ),
    )
