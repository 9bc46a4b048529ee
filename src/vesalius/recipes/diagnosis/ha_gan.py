"""HA-GAN: volumes learnt slab by slab."""

from __future__ import annotations

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import HierarchicalAdversarial
from vesalius.generative.samplers import Prior
from vesalius.networks.encoder import Encoder
from vesalius.networks.hierarchical_generator import HierarchicalHead, HierarchicalTrunk
from vesalius.networks.slab_discriminator import SlabDiscriminator


def ha_gan() -> Recipe:
    """Volumes from nothing: a slab at full resolution and the whole made small, both judged."""
    return Recipe(
        name="ha-gan",
        summary="A trunk makes coarse features of a whole volume; one head makes the volume small, "
        "the other a random slab of it, each against a critic; drawing makes all of it at once.",
        task=tasks.get("hippocampus-volumes", Call(DigitalPatients, n=160, size=(32, 48, 32))),
        networks={
            "trunk": Call(HierarchicalTrunk, width=32, multipliers=(1, 2), first_grid=(4,)),
            "head": Call(HierarchicalHead, width=32, doublings=2, depth=1, bounded=True),
            "small_head": Call(HierarchicalHead, width=24, doublings=0, depth=2, bounded=True),
            "slab_critic": Call(SlabDiscriminator, width=16, levels=4),
            "small_critic": Call(SlabDiscriminator, width=16, levels=3),
            "slab_encoder": Call(Encoder, width=4, multipliers=(1, 4, 8)),
            "code_encoder": Call(Encoder, width=16, multipliers=(1, 2, 4, 4)),
        },
        objective=Call(HierarchicalAdversarial, channels=128, features=32, slab=0.25, encoded=0.25),
        conditioning=Call(Unconditional),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=6e-4, betas=(0.0, 0.99), clip_norm=None, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=8),
        provenance=Provenance(
            system="ha-gan",
            title="Sun et al., Hierarchical amortized GAN for 3D high resolution medical image "
            "synthesis, IEEE JBHI 2022",
            doi="10.1109/JBHI.2022.3172976",
            reproduces="mechanism",
            deviations=(
                "32^3 voxels instead of 256^3, slabs of a quarter of it instead of an eighth, "
                "a code of 128 instead of 1024, narrower networks",
                "features next to a slab are made an image of, too, and cut off: a slab is exactly "
                "what drawing makes there; hence heads normalise every voxel over its channels "
                "where the paper's normalise groups over the slab",
                "slabs begin on the grid of the features; encoders learn from a quarter of a batch",
                "one rate for all players, a falling one, instead of 1e-4 and 4e-4; an exponential "
                "moving average of the generator draws",
                "each critic has a loss of its own, where the code averages both critics' logits",
            ),
        ),
    )
