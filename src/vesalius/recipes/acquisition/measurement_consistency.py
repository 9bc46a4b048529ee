"""MRI learnt without a single full scan."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import DataConsistency
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def measurement_consistency() -> Recipe:
    """Multi-coil MRI without truth: what is drawn must explain what was measured."""
    return Recipe(
        name="measurement-consistency",
        summary="A U-Net that never sees a wanted image: it learns by the squared distance of its "
        "image's k-space from what was measured. The control of every method without truth.",
        task=tasks.get("mri-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        objective=Call(Regression, losses=(Call(DataConsistency),)),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Own recipe; the control of Wang & Davies 2025, Benchmarking self-supervised "
            "methods for accelerated MRI reconstruction",
            doi="10.48550/arXiv.2502.14009",
        ),
    )
