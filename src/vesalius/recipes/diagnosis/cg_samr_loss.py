"""The confidence loss of CG-SAMR on a U-Net."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1, ConfidenceMap
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def cg_samr_loss() -> Recipe:
    """Image from a tissue map, and a map of how far to trust it."""
    return Recipe(
        name="cg-samr-loss",
        summary="A plain U-Net draws an image and a map of its confidence, which makes errors "
        "cheaper at a price: CG-SAMR's confidence loss without its networks and critics.",
        task=tasks.get("head-from-tissues", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        objective=Call(Regression, losses=(Call(L1),), twofold=(Call(ConfidenceMap),)),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Own recipe; confidence loss of Guo et al. 2021, Anatomic and molecular MR image "
            "synthesis using confidence guided CNNs (IEEE TMI), at full resolution on a plain U-Net"
        ),
    )
