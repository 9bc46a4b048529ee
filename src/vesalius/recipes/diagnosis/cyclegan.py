"""CycleGAN: translation without pairs."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import UnpairedCycle
from vesalius.generative.samplers import Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.resnet_generator import ResnetGenerator
from vesalius.recipes.embedded import digital_patients


def cyclegan() -> Recipe:
    """Unpaired translation: two generators, two critics, cycle and identity losses."""
    generator = Call(ResnetGenerator, width=12, n_blocks=6)
    critic = Call(PatchDiscriminator, width=32, n_layers=3)
    return Recipe(
        name="cyclegan",
        summary="Residual generators both ways, patch critics, least-squares adversarial, 10 cycle "
        "and 5 identity loss; never sees a pair.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={
            "generator": generator,
            "generator_back": generator,
            "critic": critic,
            "critic_back": critic,
        },
        objective=Call(UnpairedCycle, cycle=10.0, identity=0.5, pool=50),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=4e-4, betas=(0.5, 0.999), clip_norm=None, ema_decay=0.99),
        budget=Budget(steps=1500, batch_size=2),
        provenance=Provenance(
            system="cyclegan",
            title="Zhu et al., Unpaired image-to-image translation using cycle-consistent "
            "adversarial networks, ICCV 2017",
            doi="10.1109/ICCV.2017.244",
            reproduces="mechanism",
            deviations=(
                "128x128 images: 6 residual blocks and a width of 12 at the start instead of 9 "
                "of 64",
                "unpaired by shifting wanted images one case on within a batch of 2; the paper's "
                "batch is 1 from two separate sets",
                "a rate of 4e-4 with a cosine fall instead of 2e-4 with a linear one",
                "critics of width 32 instead of 64",
                "an exponential moving average of the generator draws",
            ),
        ),
    )
