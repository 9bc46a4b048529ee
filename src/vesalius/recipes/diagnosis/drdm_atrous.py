"""DRDM with the network of its paper."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Recipe
from vesalius.networks.deformation_network import DeformationNetwork
from vesalius.recipes.diagnosis.drdm import drdm


def drdm_atrous() -> Recipe:
    """DRDM with recursive atrous convolutions, as in its paper, in place of a U-Net."""
    recipe = drdm()
    kept = tuple(line for line in recipe.provenance.deviations if "U-Net" not in line)
    return dataclasses.replace(
        recipe,
        name="drdm-atrous",
        summary="drdm with its paper's network, whose passes add to the displacement. It had "
        "learnt nothing in minutes where the U-Net had; for longer trainings.",
        networks={"network": Call(DeformationNetwork)},
        provenance=dataclasses.replace(
            recipe.provenance,
            system=None,
            deviations=("not trained to a result", *kept),
        ),
    )
