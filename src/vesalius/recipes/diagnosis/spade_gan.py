"""pix2pix with a SPADE generator: label map to image."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import SpatialCondition
from vesalius.generative.losses import L1
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.spade_generator import SpadeGenerator
from vesalius.recipes.embedded import digital_patients


def spade_gan() -> Recipe:
    """Image from a label map: SPADE generator, patch critic on pairs, hinge loss and L1."""
    return Recipe(
        name="spade-gan",
        summary="A generator whose normalisation is modulated by the label map, a patch critic "
        "that sees pairs, hinge adversarial loss, feature matching and L1.",
        task=tasks.get("head-from-tissues", digital_patients()),
        networks={
            "generator": Call(SpadeGenerator, width=16, levels=2, hidden=16, patch=2),
            "critic": Call(PatchDiscriminator, width=16, n_layers=3),
        },
        objective=Call(
            PairedAdversarial, losses=(Call(L1, weight=10.0),), kind="hinge", matching=10.0
        ),
        conditioning=Call(SpatialCondition),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=4e-4, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=2000, batch_size=4),
        provenance=Provenance(
            title="Own recipe: pix2pix (Isola et al. 2017) with the generator of Park et al., "
            "Semantic image synthesis with spatially-adaptive normalization, CVPR 2019",
            doi="10.1109/CVPR.2019.00244",
            reproduces="mechanism",
            deviations=(
                "L1 on the image in place of the VGG perceptual loss (no weights are shipped)",
                "one critic at one scale, and a smaller generator on blocks of 2 voxels a side",
            ),
        ),
    )
