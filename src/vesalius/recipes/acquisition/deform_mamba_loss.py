"""The losses of Deform-Mamba on a U-Net."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1, ContrastiveEdge
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def deform_mamba_loss() -> Recipe:
    """MR super-resolution: L1, and edges nearer to the wanted image than to the given one."""
    return Recipe(
        name="deform-mamba-loss",
        summary="A plain U-Net, trained by L1 and a contrastive edge loss: Deform-Mamba's losses "
        "without its network.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        objective=Call(Regression, losses=(Call(L1), Call(ContrastiveEdge, weight=0.1))),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Own recipe; losses of Ji et al. 2024, Deform-Mamba network for MRI "
            "super-resolution, on a plain U-Net; the weight of 0.1 is our own",
            doi="10.48550/arXiv.2407.05969",
        ),
    )
