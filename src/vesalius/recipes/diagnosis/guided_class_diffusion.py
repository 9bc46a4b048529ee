"""Diffusion that is told a class, and told it louder."""

from __future__ import annotations

from dataclasses import replace

from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.conditioning import Concatenation, Dropped
from vesalius.generative.guidance import ClassifierFree
from vesalius.generative.samplers import DpmSolver
from vesalius.recipes.diagnosis.class_diffusion import class_diffusion


def guided_class_diffusion() -> Recipe:
    """Image from a class by diffusion with classifier-free guidance."""
    return replace(
        class_diffusion(),
        name="guided-class-diffusion",
        summary="The network of class-diffusion learns with and without the class; draws "
        "exaggerate what the class changes.",
        conditioning=Call(Dropped, inner=Call(Concatenation), drop=0.15),
        guidance=(Call(ClassifierFree, scale=1.5),),
        sampler=Call(DpmSolver, steps=12),
        provenance=Provenance(
            title="Ho & Salimans, Classifier-free diffusion guidance, 2022",
            doi="10.48550/arXiv.2207.12598",
            reproduces="equations",
            deviations=(
                "velocities on a cosine path, drawn with DPM-Solver++(2M) instead of ancestral "
                "steps",
                "the class as constant channels, whose absence is zero",
                "64x64 images, a U-Net of width 32",
            ),
        ),
    )
