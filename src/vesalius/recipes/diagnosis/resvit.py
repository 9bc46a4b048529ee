"""ResViT: residual blocks and a shared transformer translate one modality into another."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe, Start
from vesalius.networks.resvit_generator import ResViTGenerator
from vesalius.recipes.diagnosis.resvit_pretraining import resvit_pretraining


def resvit() -> Recipe:
    """Paired translation: residual blocks, a transformer in the first and the sixth of them."""
    first = resvit_pretraining()
    return dataclasses.replace(
        first,
        name="resvit",
        summary="Residual convolution blocks, two of which share a transformer that sees the whole "
        "image, against a patch critic; the transformers join what was trained without them.",
        networks={**first.networks, "generator": Call(ResViTGenerator, width=24)},
        starts={"generator": Start(recipe=first.name, network="generator")},
        optimiser=Optimiser(rate=1e-3, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=350, batch_size=4),
        provenance=Provenance(
            system="resvit",
            title="Dalmaz et al., ResViT: residual vision transformers for multimodal medical "
            "image synthesis, IEEE TMI 2022",
            doi="10.1109/TMI.2022.3167808",
            reproduces="mechanism",
            deviations=(
                "one task with one given image: not the unified model, which also zeroes missing "
                "sources and says what it draws",
                "width 24 instead of 64, a transformer of 4 layers of 128 features instead of "
                "ViT-B/16's 12 of 768, not trained on photographs first",
                "positions of tokens are sines and cosines through a learnt layer, so that any "
                "size has them",
                "channel compression starts as the identity, so that the transformers join "
                "without a jump; the critic starts anew when they do",
                "instance normalisation, none within the transformer's branch; repeated voxels "
                "instead of transposed convolutions",
                "batches of 4, an exponential moving average of the generator draws",
            ),
        ),
    )
