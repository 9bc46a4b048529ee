"""Images whose best denoiser is known in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand
from vesalius.generative.predictor import Predictor

#: (weight, mean, standard deviation) of every component.
Mixture = tuple[tuple[float, float, float], ...]


def exact_denoiser(path: GaussianPath, mixture: Mixture) -> Predictor:
    """E[image | state] for independent voxels drawn from a ``mixture`` of Gaussians."""

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None, "a path's sampler passes states"
        assert time is not None, "and their times"
        signal, noise = expand(path.signal(time), x), expand(path.noise(time), x)
        weights, means = [], []
        for weight, mean, std in mixture:
            variance = (signal * std) ** 2 + noise**2
            weights.append(
                math.log(weight) - (x - signal * mean) ** 2 / (2 * variance) - variance.log() / 2
            )
            means.append(mean + signal * std**2 / variance * (x - signal * mean))
        share = torch.stack(weights).softmax(dim=0)
        return (share * torch.stack(means)).sum(dim=0)

    return predict


def exact_end(path: GaussianPath, x: Tensor, time: Tensor, mean: float, std: float) -> Tensor:
    """Where the probability-flow equation leads from ``x`` for voxels of N(mean, std^2)."""
    signal, noise = expand(path.signal(time), x), expand(path.noise(time), x)
    spread = torch.sqrt((signal * std) ** 2 + noise**2)
    return mean + (x - signal * mean) * std / spread
