"""Drawn images lead to what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.guidance.guidance import Guidance, Scene
from vesalius.generative.guidance.shifted import check_state_space, shifted
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.physics.operator import LinearOperator
from vesalius.physics.operator_norm import operator_norm


@dataclass(frozen=True)
class PosteriorSampling(Guidance):
    """Adds the gradient, through the network, of log p(measurement | state) to the score.

    Diffusion posterior sampling (Chung et al. 2023): the measurement y is taken as if it were made
    of the predicted image x0, so the gradient is that of -``strength`` |A x0(state) - y|^2 / (2 v).
    In place of their step over the norm of the residual, tuned for every task, the variance v
    counts what is still unknown of the image (Song et al. 2023, Pi-GDM): v = noise_std^2 +
    |A|^2 data_std^2 noise^2 / (noise^2 + signal^2 data_std^2). For white Gaussian images and an
    operator with orthonormal rows the score is then exactly the posterior's.

    ``noise_std`` is that of the measurement, in its unit: one standard deviation per real number.
    """

    path: GaussianPath
    strength: float = 1.0
    noise_std: float = 0.0

    def __post_init__(self) -> None:
        if not self.strength > 0 or self.noise_std < 0:
            raise InputError(
                "a strength above zero and a noise_std of zero or more",
                came=f"{self.strength} and {self.noise_std}",
            )

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError unless the path runs over images."""
        check_state_space(arguments, recipe, "PosteriorSampling")

    def variance(self, time: Tensor, norm: Tensor) -> Tensor:
        """Of the measurement's error if it is made of the predicted image, (batch,)."""
        path = self.path
        noise, signal = path.noise(time) ** 2, (path.signal(time) * path.data_std) ** 2
        unknown = path.data_std**2 * noise / (noise + signal)
        return self.noise_std**2 + norm.to(time) ** 2 * unknown

    def guide(self, predict: Predictor, scene: Scene) -> Predictor:
        """Predict, then go down the misfit."""
        measurement = scene.batch.measurement
        operator = cast(LinearOperator | None, scene.batch.operator)
        if measurement is None or operator is None:
            raise InputError(
                "a task with measurements for PosteriorSampling",
                came="images alone",
                remedy="choose a task with an operator",
            )
        norm: Tensor | None = None

        def led(x: Tensor | None, time: Tensor | None) -> Tensor:
            nonlocal norm
            assert x is not None, "a path's sampler passes states"
            assert time is not None, "and their times"
            with torch.enable_grad():
                at = x.detach().requires_grad_()
                clean = predict(at, time)
                if norm is None:
                    norm = operator_norm(operator, clean.detach())
                misfit = (operator.forward(clean) - measurement).abs().square().flatten(1).sum(1)
                (uphill,) = torch.autograd.grad(
                    (misfit / (2 * self.variance(time, norm))).sum(), at
                )
            return shifted(self.path, clean.detach(), -uphill, time, self.strength)

        return led
