"""Super-resolution that says how sure it is."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import GaussianLikelihood
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def tanno_2017() -> Recipe:
    """MR super-resolution by likelihood: an image and the variance of its error, voxel by voxel."""
    return Recipe(
        name="tanno-2017",
        summary="A U-Net predicts the mean and the variance of every voxel and learns by their "
        "Gaussian likelihood; errors count less where they are expected.",
        task=tasks.get("mr-super-resolution-4x", digital_patients()),
        networks={"network": Call(UNet, width=32, patch=2, dropout=0.1)},
        objective=Call(Regression, losses=(), twofold=(Call(GaussianLikelihood),)),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Tanno et al., Bayesian image quality transfer with CNNs: exploring uncertainty "
            "in dMRI super-resolution, MICCAI 2017",
            doi="10.1007/978-3-319-66182-7_70",
            reproduces="mechanism",
            deviations=(
                "intrinsic uncertainty alone: plain dropout in place of the variational one that "
                "gives the uncertainty of the network's own parameters",
                "one U-Net says both mean and variance in place of two subpixel networks",
                "slices of the head in place of diffusion tensors in patches of volumes",
            ),
        ),
    )
