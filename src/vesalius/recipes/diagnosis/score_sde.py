"""Score-based generation through stochastic differential equations."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import VarianceExplodingPath
from vesalius.generative.samplers import PredictorCorrector
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def score_sde() -> Recipe:
    """Images from nothing by a variance-exploding path, with Langevin corrections."""
    return Recipe(
        name="score-sde",
        summary="A U-Net predicts the noise, which is the score but for its scale; each step back "
        "is put right by Langevin dynamics.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(VarianceExplodingPath, data_std=0.5, noise_max=20.0),
        objective=Call(Denoising, prediction="noise"),
        conditioning=Call(Unconditional),
        sampler=Call(PredictorCorrector, steps=60, corrections=1, snr=0.16),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            title="Song et al., Score-based generative modeling through stochastic differential "
            "equations, ICLR 2021",
            doi="10.48550/arXiv.2011.13456",
            reproduces="equations",
            deviations=(
                "60 steps instead of 1000; ancestral steps as predictor",
                "states reach the network at unit variance",
                "64x64 slices, a U-Net of width 32 on blocks of 2x2 pixels",
            ),
        ),
    )
