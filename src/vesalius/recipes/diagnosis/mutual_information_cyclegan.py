"""CycleGAN whose drawn image must share information with its source."""

from __future__ import annotations

import dataclasses

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import MutualInformation
from vesalius.generative.objectives import UnpairedCycle
from vesalius.recipes.diagnosis.cyclegan import cyclegan
from vesalius.recipes.embedded import digital_patients


def mutual_information_cyclegan() -> Recipe:
    """Unpaired MR to CT: CycleGAN and the mutual information of given and drawn."""
    recipe = cyclegan()
    return dataclasses.replace(
        recipe,
        name="mutual-information-cyclegan",
        summary="CycleGAN whose drawn images share as much information with those that they were "
        "drawn from as they can; never sees a pair.",
        task=tasks.get("mr-to-ct", digital_patients()),
        objective=Call(
            UnpairedCycle,
            cycle=10.0,
            identity=0.0,
            structure=(Call(MutualInformation, weight=1.0),),
            pool=50,
        ),
        provenance=Provenance(
            title="Ge et al., Unpaired MR to CT synthesis with explicit structural constrained "
            "adversarial learning, ISBI 2019",
            reproduces="mechanism",
            deviations=(
                "written from the abstract: the weight of 1 and the Parzen windows are our own",
                "no shape consistency, which needs a segmenter",
                "slices of the head in place of whole bodies",
                *recipe.provenance.deviations,
            ),
        ),
    )
