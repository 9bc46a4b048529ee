"""GAN-CIRCLE: super-resolution without pairs, with sparse gradients."""

from __future__ import annotations

import dataclasses

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import JointSparsifyingTransform
from vesalius.generative.objectives import UnpairedCycle
from vesalius.recipes.diagnosis.cyclegan import cyclegan
from vesalius.recipes.embedded import digital_patients


def gan_circle() -> Recipe:
    """Super-resolution without pairs: cycle, identity, and sparse gradients of image and change."""
    return dataclasses.replace(
        cyclegan(),
        name="gan-circle",
        summary="A cycle of generators between low and high resolution; what is drawn and what it "
        "changed both have sparse gradients.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        objective=Call(
            UnpairedCycle,
            cycle=10.0,
            identity=0.5,
            structure=(Call(JointSparsifyingTransform, weight=0.01, share=0.5),),
            pool=50,
        ),
        provenance=Provenance(
            system="gan-circle",
            title="You et al., CT super-resolution GAN constrained by the identical, residual, and "
            "cycle learning ensemble (GAN-CIRCLE), IEEE TMI 2020",
            doi="10.48550/arXiv.1808.04256",
            reproduces="mechanism",
            deviations=(
                "MR slices from a sixteenth of k-space in place of CT at half the resolution",
                "least-squares critics in place of Wasserstein ones with gradient penalty; weights "
                "of cycle, identity and sparsity in the paper's proportions",
                "CycleGAN's residual generators in place of densely concatenated ones that add to "
                "their input",
                "gradients are held sparse in both directions",
                "unpaired by shifting wanted images one case on within a batch of 2",
                "128x128 images, narrow networks, minutes of training",
            ),
        ),
    )
