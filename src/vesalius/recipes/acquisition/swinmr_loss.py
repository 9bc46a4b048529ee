"""The losses of SwinMR on the control network."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import Charbonnier, EfficientNetLite0Maps, Frequency, Perceptual
from vesalius.generative.objectives import Regression
from vesalius.recipes.acquisition.measurement_consistency import measurement_consistency


def swinmr_loss() -> Recipe:
    """Multi-coil MRI by Charbonnier's distance of voxels and of Fourier coefficients."""
    return dataclasses.replace(
        measurement_consistency(),
        name="swinmr-loss",
        summary="A plain U-Net, trained by Charbonnier's distance of voxels (15) and of Fourier "
        "coefficients (0.1) and a perceptual loss (0.0025): SwinMR's losses without its network.",
        objective=Call(
            Regression,
            losses=(
                Call(Charbonnier, weight=15.0, epsilon=1e-9),
                Call(Frequency, weight=0.1, epsilon=1e-9),
                Call(
                    Perceptual,
                    weight=0.0025,
                    features=Call(EfficientNetLite0Maps, blocks=(0, 2)),
                ),
            ),
        ),
        provenance=Provenance(
            title="Own recipe; losses of Huang et al. 2022, Swin transformer for fast MRI, on a "
            "plain U-Net and real and imaginary channels",
            doi="10.48550/arXiv.2201.03230",
        ),
    )
