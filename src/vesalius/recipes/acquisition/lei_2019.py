"""A cycle between low and full counts, learnt from pairs."""

from __future__ import annotations

import dataclasses

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import GradientDifference, MeanPNorm
from vesalius.generative.objectives import UnpairedCycle
from vesalius.recipes.diagnosis.cyclegan import cyclegan
from vesalius.recipes.embedded import digital_patients


def lei_2019() -> Recipe:
    """Low dose: a CycleGAN that sees pairs, by a mean p-norm and gradient differences."""
    return dataclasses.replace(
        cyclegan(),
        name="lei-2019",
        summary="Generators from low to full dose and back, critics and cycles; each drawn image "
        "is also held to its true partner by a mean p-norm (p = 1.5) and its edges.",
        task=tasks.get("ct-low-dose", digital_patients()),
        objective=Call(
            UnpairedCycle,
            cycle=10.0,
            identity=0.0,
            supervised=(
                Call(MeanPNorm, weight=10.0, p=1.5),
                Call(GradientDifference, weight=10.0),
            ),
            pool=50,
        ),
        provenance=Provenance(
            system="lei-2019",
            title="Lei et al., Whole-body PET estimation from low count statistics using "
            "cycle-consistent generative adversarial networks, Phys Med Biol 2019",
            doi="10.1088/1361-6560/ab4891",
            reproduces="mechanism",
            deviations=(
                "written from the abstract and the review's summary: loss weights are our own",
                "CT at a twentieth of the dose in place of PET at an eighth of the counts",
                "critics see images of other cases; the pair enters by the supervised losses",
                "slices in place of patches of 64x64x64; narrow 2D networks",
            ),
        ),
    )
