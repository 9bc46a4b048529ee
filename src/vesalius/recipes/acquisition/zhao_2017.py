"""Restoration by a mixture of MS-SSIM and L1."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1, MultiScaleStructuralSimilarity
from vesalius.generative.objectives import Regression
from vesalius.generative.samplers import Direct
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def zhao_2017() -> Recipe:
    """Denoising: 0.84 MS-SSIM and 0.16 L1."""
    return Recipe(
        name="zhao-2017",
        summary="A U-Net denoises by 0.84 of MS-SSIM, which is careless of grey values, and 0.16 "
        "of L1 on [0, 1], which is not.",
        task=tasks.get("xray-denoising", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4))},
        objective=Call(
            Regression,
            losses=(
                # two scales fit 28 pixels; model units are twice those of [0, 1]
                Call(MultiScaleStructuralSimilarity, weight=0.84, size=5, weights=(0.5, 0.5)),
                Call(L1, weight=0.08),
            ),
        ),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=1200, batch_size=8),
        provenance=Provenance(
            title="Zhao et al., Loss functions for image restoration with neural networks, IEEE "
            "Transactions on Computational Imaging 2017",
            doi="10.48550/arXiv.1511.08861",
            reproduces="mechanism",
            deviations=(
                "two scales by halving and windows of 5, equally weighted, in place of five "
                "Gaussian windows at full resolution",
                "L1 is not weighted by the coarsest window",
                "a U-Net of width 32 in place of three convolutions",
                "noisy X-rays or slices in place of mosaicked photographs",
            ),
        ),
    )
