"""Known voxels are kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.predictor import Predictor
from vesalius.physics.masking import Masking


@dataclass(frozen=True)
class Replacement(Guidance):
    """Predicted images have their true values where these are known.

    The batch's operator says where (:class:`~vesalius.physics.masking.Masking`), its measurement
    what. Under ancestral sampling known voxels then are states of their own path, which is the
    replacement of Song et al. 2021, appendix I.2; the others see them only as noisy as these are,
    and are biased for it. :class:`~vesalius.generative.samplers.Repaint` repairs that.
    """

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict, then replace."""
        operator, values = scene.batch.operator, scene.batch.measurement
        if not isinstance(operator, Masking) or values is None:
            raise InputError(
                "a task in which some voxels are known, for Replacement",
                came="no operator" if operator is None else type(operator).__name__,
                remedy="choose an inpainting task",
            )
        known = operator.known

        def replaced(x: Tensor | None, time: Tensor | None) -> Tensor:
            clean = predict(x, time)
            return torch.where(known, values.to(clean.dtype), clean)

        return replaced
