"""Attenuation maps that are right along rays, too."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1, GradientDifference, Sinogram
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def shi_2023() -> Recipe:
    """CT for attenuation correction: L1 of voxels, of edges, and of line integrals."""
    return Recipe(
        name="shi-2023",
        summary="A U-Net regresses the CT by L1, by gradient differences, and by L1 of line "
        "integrals, since it is along lines that PET is attenuated.",
        task=tasks.get("mr-to-ct", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2)},
        objective=Call(
            Regression,
            losses=(
                Call(L1),
                Call(GradientDifference, weight=0.1),
                Call(Sinogram, weight=0.02, n_angles=30),
            ),
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            system="shi-2023",
            title="Shi et al., Deep learning-based attenuation map generation with simultaneously "
            "reconstructed PET activity and attenuation and low-dose application, Phys Med Biol "
            "2023; the loss of line integrals: MICCAI 2019",
            doi="10.48550/arXiv.1909.01394",
            reproduces="mechanism",
            deviations=(
                "MR is given in place of the activity and attenuation that PET alone yields "
                "(MLAA), and HU are wanted in place of attenuation at 511 keV",
                "30 angles evenly over half a turn, lengths in pixels; the weights of the second "
                "and third loss are our own",
                "slices in place of 3D patches",
            ),
        ),
    )
