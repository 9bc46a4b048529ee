"""Predicted images agree with what the scanner measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.physics.operator import LinearOperator
from vesalius.physics.proximal import proximal


@dataclass(frozen=True)
class DataConsistency(Guidance):
    """The proximal point of the data term at every prediction, by conjugate gradients.

    Replaces the prediction d by argmin_z s |A z - y|^2 + |z - d|^2. On a path, s falls with the
    noise: s = ``strength`` (noise / signal)^2 bounded to [``strength_min``, ``strength_max``], the
    ratio of prior to measurement variance (Zhu et al. 2023, DiffPIR, equation 13; Liu et al. 2023,
    DOLCE). In one-call systems s = ``strength_max``, and gradients flow through the iterations
    (Aggarwal et al. 2019, MoDL).
    """

    path: GaussianPath | None = None
    strength: float = 100.0
    strength_min: float = 1.0
    strength_max: float = 100.0
    iterations: int = 6

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict, then move to the proximal point."""
        measurement = scene.batch.measurement
        operator = cast(LinearOperator | None, scene.batch.operator)
        if measurement is None or operator is None:
            raise InputError(
                "a task with measurements for data consistency",
                came="images alone",
                remedy="choose a reconstruction task, or a recipe without data consistency",
            )

        def consistent(x: Tensor | None, time: Tensor | None) -> Tensor:
            clean = predict(x, time)
            if time is None or self.path is None:
                strength = torch.full((clean.shape[0],), self.strength_max, device=clean.device)
            else:
                strength = (self.strength * self.path.ratio(time) ** 2).clamp(
                    self.strength_min, self.strength_max
                )
            return proximal(clean, measurement, operator, strength, iterations=self.iterations)

        return consistent
