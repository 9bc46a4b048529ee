"""sc-cycleGAN: translation without pairs that keeps anatomy in its place."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import StructureConsistency
from vesalius.generative.objectives import UnpairedCycle
from vesalius.recipes.diagnosis.cyclegan import cyclegan


def sc_cyclegan() -> Recipe:
    """Unpaired translation: CycleGAN and a loss between descriptors of given and drawn."""
    recipe = cyclegan()
    return dataclasses.replace(
        recipe,
        name="sc-cyclegan",
        summary="CycleGAN whose drawn images must have the neighbourhood descriptors (MIND) of the "
        "images that they were drawn from; never sees a pair.",
        objective=Call(
            UnpairedCycle,
            cycle=10.0,
            identity=0.0,
            structure=(Call(StructureConsistency, weight=5.0),),
            pool=50,
        ),
        provenance=Provenance(
            system="sc-cyclegan",
            title="Yang et al., Unsupervised MR-to-CT synthesis using structure-constrained "
            "CycleGAN, IEEE Transactions on Medical Imaging 2020",
            doi="10.1109/TMI.2020.3015379",
            reproduces="mechanism",
            deviations=(
                "descriptors of the 4 nearest neighbours by patches of 3x3",
                "no self-attention in the generators, and no choice of slices by position",
                "the paper's weight of the structure loss was not seen: 5",
                *recipe.provenance.deviations,
            ),
        ),
    )
