"""Diffusion that is led by a classifier of noisy images."""

from __future__ import annotations

from dataclasses import replace

from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.guidance import Classifier
from vesalius.generative.losses import CrossEntropy
from vesalius.generative.objectives import Denoising, NoisyClassification, Together
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ancestral
from vesalius.networks.classifier import SmallClassifier
from vesalius.recipes.diagnosis.class_diffusion import class_diffusion


def classifier_guided_diffusion() -> Recipe:
    """Image from a class: an unconditional diffusion model and a classifier that leads it."""
    return replace(
        class_diffusion(),
        name="classifier-guided-diffusion",
        summary="A network that knows no classes denoises; a classifier of noisy images, learnt "
        "beside it, leads draws to a class.",
        networks={
            **class_diffusion().networks,
            "classifier": Call(SmallClassifier, width=16, levels=3),
        },
        path=Call(CosinePath, data_std=0.5, last_angle=1.55),
        objective=Call(
            Together,
            objectives=(
                Call(Denoising, prediction="velocity"),
                Call(NoisyClassification, losses=(Call(CrossEntropy),)),
            ),
        ),
        conditioning=Call(Unconditional),
        guidance=(Call(Classifier, scale=2.0),),
        sampler=Call(Ancestral, steps=40),
        provenance=Provenance(
            title="Dhariwal & Nichol, Diffusion models beat GANs on image synthesis, NeurIPS 2021",
            doi="10.48550/arXiv.2105.05233",
            reproduces="equations",
            deviations=(
                "the diffusion model knows no classes and learns in the same run as the classifier",
                "the gradient is added to the predicted image by Tweedie's formula, which is their "
                "shift of the mean for small steps",
                "velocities on a cosine path, 40 ancestral steps",
                "64x64 images, a U-Net of width 32 and a small residual classifier",
            ),
        ),
    )
