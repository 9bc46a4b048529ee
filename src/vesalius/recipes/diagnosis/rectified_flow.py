"""Straight lines from noise to images."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import FlowPath
from vesalius.generative.samplers import Euler
from vesalius.networks.unet import UNet
from vesalius.recipes.embedded import digital_patients


def rectified_flow() -> Recipe:
    """Images from nothing by flow matching, drawn with Euler's method."""
    return Recipe(
        name="rectified-flow",
        summary="A U-Net learns the derivative of straight lines from noise to images; draws "
        "follow it in even steps.",
        task=tasks.get("mr-slices", digital_patients()),
        networks={"network": Call(UNet, width=32, multipliers=(1, 2, 4), patch=2, attention=True)},
        path=Call(FlowPath, data_std=0.5),
        objective=Call(Denoising, prediction="flow"),
        conditioning=Call(Unconditional),
        sampler=Call(Euler, steps=25),
        optimiser=Optimiser(rate=1e-3, warmup_steps=100, ema_decay=0.995),
        budget=Budget(steps=3000, batch_size=32),
        provenance=Provenance(
            title="Lipman et al., Flow matching for generative modeling, ICLR 2023; Liu et al., "
            "Flow straight and fast, ICLR 2023",
            doi="10.48550/arXiv.2210.02747",
            reproduces="equations",
            deviations=(
                "one flow, not straightened again; 25 steps of Euler's method",
                "states reach the network at unit variance; the path stops short of pure noise",
                "64x64 slices, a U-Net of width 32 on blocks of 2x2 pixels",
            ),
        ),
    )
