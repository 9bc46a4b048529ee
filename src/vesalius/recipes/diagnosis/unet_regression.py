"""A U-Net that regresses the wanted image: the control of every study."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def unet_regression() -> Recipe:
    """Paired translation by plain regression, the control."""
    return Recipe(
        name="unet-regression",
        summary="A U-Net trained on the mean absolute error; no adversary, no noise.",
        task=tasks.get("t1-to-t2", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        objective=Call(Regression, losses=(Call(L1),)),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Own recipe; U-Net after Ronneberger et al. 2015",
            doi="10.1007/978-3-319-24574-4_28",
        ),
    )
