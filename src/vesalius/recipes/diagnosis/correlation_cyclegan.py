"""CycleGAN whose drawn image must correlate with its source."""

from __future__ import annotations

import dataclasses

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import NormalisedCrossCorrelation
from vesalius.generative.objectives import UnpairedCycle
from vesalius.recipes.diagnosis.cyclegan import cyclegan
from vesalius.recipes.embedded import digital_patients


def correlation_cyclegan() -> Recipe:
    """Unpaired MR to CT: CycleGAN and the correlation of given and drawn."""
    recipe = cyclegan()
    return dataclasses.replace(
        recipe,
        name="correlation-cyclegan",
        summary="CycleGAN whose drawn images must correlate with those that they were drawn from; "
        "never sees a pair.",
        task=tasks.get("mr-to-ct", digital_patients()),
        objective=Call(
            UnpairedCycle,
            cycle=10.0,
            identity=0.0,
            structure=(Call(NormalisedCrossCorrelation, weight=1.0),),
            pool=50,
        ),
        provenance=Provenance(
            title="Ge et al., Unpaired whole-body MR to CT synthesis with correlation coefficient "
            "constrained adversarial learning, SPIE Medical Imaging 2019",
            doi="10.1117/12.2512479",
            reproduces="mechanism",
            deviations=(
                "written from the abstract: the weight of 1 is our own",
                "slices of the head in one direction in place of whole bodies in several",
                *recipe.provenance.deviations,
            ),
        ),
    )
