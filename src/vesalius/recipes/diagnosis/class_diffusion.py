"""Diffusion that is told a class."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.data.split import SplitRule
from vesalius.generative.conditioning import Concatenation
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.task import Downstream


def class_diffusion() -> Recipe:
    """Image from a class, by diffusion; judged by sets and by a classifier that learns from it."""
    classes = ("60 or younger", "over 60")
    study = Call(Downstream, image="t1", label="over_60", classes=classes, fractions=(0.1, 1.0))
    return Recipe(
        name="class-diffusion",
        summary="A U-Net denoises an image beside one constant channel for each class.",
        task=Call(
            LabelSynthesis,
            name="slice-from-class",
            phase="diagnosis",
            question="What does the head of a person under or over 60 look like?",
            source=digital_patients(n=240, matrix=64),
            rule=Call(SplitRule, shifted_sites=("C",)),
            image="t1",
            label="over_60",
            classes=classes,
            matrix=(64, 64),
            study=study,
        ),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4))},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising, prediction="velocity"),
        conditioning=Call(Concatenation),
        sampler=Call(Ddim, steps=15, eta=0.0),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=1500, batch_size=32),
        provenance=Provenance(
            title="Own recipe; Ho et al. 2020 with the class as constant channels",
            doi="10.48550/arXiv.2006.11239",
        ),
    )
