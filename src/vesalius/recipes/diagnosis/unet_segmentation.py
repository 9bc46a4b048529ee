"""A plain U-Net that segments."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import Segmentation
from vesalius.generative.samplers import Direct
from vesalius.networks.segmentation_unet import SegmentationUNet
from vesalius.recipes.embedded import tissues_of_slice


def unet_segmentation() -> Recipe:
    """The peer of every segmenter: nnU-Net's architecture, cross-entropy and Dice."""
    return Recipe(
        name="unet-segmentation",
        summary="A U-Net as nnU-Net builds them, trained with cross-entropy and soft Dice.",
        task=tissues_of_slice(),
        networks={"network": Call(SegmentationUNet, width=16, levels=4)},
        objective=Call(Segmentation),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=2e-3, weight_decay=1e-4, warmup_steps=50),
        budget=Budget(steps=600, batch_size=2),
        provenance=Provenance(
            title="Isensee et al., nnU-Net, Nature Methods 18:203, 2021",
            doi="10.1038/s41592-020-01008-z",
            reproduces="mechanism",
            deviations=(
                "one U-Net of width 16 on whole crops: no patches, no cascade, no ensemble",
                "flips, shifts, gain, offset and noise instead of nnU-Net's augmentations",
                "AdamW with a cosine instead of SGD, and no deep supervision",
            ),
        ),
    )
