"""The multiple contrast loss of GLFC on a U-Net."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import MultipleContrast
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients
from vesalius.tasks.intensity import KNOWN_RANGES, Scale

#: Full range, soft tissue and bone.
WINDOWS_HU = (KNOWN_RANGES["HU"], (-160.0, 240.0), (150.0, 1500.0))


def _model_units(hu: float) -> float:
    scale = Scale(*KNOWN_RANGES["HU"])
    return round((hu - scale.low) * 2 / (scale.high - scale.low) - 1, 4)


def glfc_loss() -> Recipe:
    """MR to CT by errors within the windows that radiologists look through."""
    windows = tuple((_model_units(low), _model_units(high)) for low, high in WINDOWS_HU)
    return Recipe(
        name="glfc-loss",
        summary="A U-Net of two halvings, trained by absolute errors within the full range, a "
        "soft-tissue and a bone window: GLFC's loss without its state-space blocks.",
        task=tasks.get("mr-to-ct", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2)},
        objective=Call(Regression, losses=(Call(MultipleContrast, windows=windows),)),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Own recipe; multiple contrast loss of GLFC 2025 (CBCT to CT), on a plain U-Net; "
            "the windows were not seen and are usual ones",
            doi="10.48550/arXiv.2501.02992",
        ),
    )
