"""The losses of Seq2Seq on the control network."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.losses import EfficientNetLite0Maps, Huber, Perceptual
from vesalius.generative.objectives import Regression
from vesalius.recipes.diagnosis.unet_regression import unet_regression


def seq2seq_loss() -> Recipe:
    """Paired translation by smooth L1 and a hundredth of a perceptual loss."""
    return dataclasses.replace(
        unet_regression(),
        name="seq2seq-loss",
        summary="The control U-Net, trained by ten times smooth L1 and a hundredth of a perceptual "
        "loss: what Seq2Seq's losses do without its networks and cycle.",
        objective=Call(
            Regression,
            losses=(
                Call(Huber, weight=10.0, threshold=1.0),
                Call(Perceptual, weight=0.01, features=Call(EfficientNetLite0Maps, blocks=(0, 2))),
            ),
        ),
        provenance=Provenance(
            title="Own recipe; losses of Han et al. 2024, Synthesis-based imaging-differentiation "
            "representation learning for multi-sequence 3D/4D MRI, on a plain U-Net",
            doi="10.48550/arXiv.2302.00517",
        ),
    )
