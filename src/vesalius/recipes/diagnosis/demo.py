"""The conditional diffusion at a size that trains in minutes on two cores."""

from __future__ import annotations

import dataclasses

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Recipe
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.diagnosis.conditional_diffusion import conditional_diffusion
from vesalius.recipes.embedded import digital_patients


def demo() -> Recipe:
    """The main job in minutes: T2 from T1 of digital patients, by diffusion."""
    return dataclasses.replace(
        conditional_diffusion(),
        name="demo",
        task=tasks.get("t1-to-t2", digital_patients(n=150, matrix=96)).replace(matrix=(96, 96)),
        networks={"network": Call(UNet, width=24, patch=2)},
        sampler=Call(Ddim, steps=10, eta=0.0),
        budget=Budget(steps=900, batch_size=8),
    )
