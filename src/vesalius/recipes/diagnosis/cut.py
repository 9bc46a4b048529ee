"""CUT: translation without pairs and without a way back."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import UnpairedContrastive
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.patch_projection import PatchProjection
from vesalius.networks.resnet_generator import ResnetGenerator
from vesalius.recipes.embedded import digital_patients


def cut() -> Recipe:
    """Unpaired translation: one generator, one critic, InfoNCE between places of an image."""
    return Recipe(
        name="cut",
        summary="A residual generator against a patch critic; what it draws at a place must be "
        "told from what it draws elsewhere by its own features of the given image.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={
            "generator": Call(ResnetGenerator, width=12, n_blocks=6),
            "projection": Call(PatchProjection, width=12),
            "critic": Call(PatchDiscriminator, width=32, n_layers=3),
        },
        objective=Call(UnpairedContrastive, contrastive=1.0, identity=1.0, places=256),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=4e-4, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=2),
        provenance=Provenance(
            title="Park et al., Contrastive learning for unpaired image-to-image translation, "
            "ECCV 2020",
            doi="10.1007/978-3-030-58545-7_19",
            reproduces="mechanism",
            deviations=(
                "128x128 images: 6 residual blocks and a width of 12 at the start instead of 9 "
                "of 64; vectors of 64 numbers instead of 256",
                "features at full, half and a quarter of the resolution and behind half and all "
                "of the residual blocks; not the voxels themselves",
                "unpaired by shifting wanted images one case on within a batch of 2; the paper's "
                "batch is 1 from two separate sets",
                "a rate of 4e-4 with a cosine fall instead of 2e-4 with a linear one",
                "an exponential moving average of the generator draws",
            ),
        ),
    )
