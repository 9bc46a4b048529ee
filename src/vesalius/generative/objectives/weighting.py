"""Which noise levels count how much."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import Path, Prediction

Weighting = Literal["uniform", "min-snr"]


def level_weights(
    weighting: Weighting, limit: float, path: Path, kind: Prediction, time: Tensor
) -> Tensor | None:
    """Weights (batch,) of squared errors of ``kind``; None for all alike.

    ``"min-snr"`` (Hang et al. 2023, equation 8) weighs the error of the clean image, in units of
    its standard deviation, by min(snr, ``limit``) with snr = (signal data_std / noise)^2, whatever
    the network predicts: noise errors by min(snr, limit) / snr, velocities by min(snr, limit) /
    (snr + 1).
    """
    if weighting == "uniform":
        return None
    assert isinstance(path, GaussianPath), "refused when the recipe is written"
    snr = (path.data_std / path.ratio(time).clamp_min(1e-8)) ** 2
    least = snr.clamp(max=limit)
    if kind == "denoised":
        return least / path.data_std**2
    if kind == "noise":
        return least / snr
    if kind == "velocity":
        return least / (snr + 1)
    if kind == "score":
        return least / snr * path.noise(time) ** 2
    signal_rate, noise_rate = path.rates(time)
    # an error of the flow is this many times an error of the clean image
    factor = signal_rate - path.signal(time) * noise_rate / path.noise(time).clamp_min(1e-8)
    return least / (factor * path.data_std).square().clamp_min(1e-12)


def weighted_mean(error: Tensor, weights: Tensor | None) -> Tensor:
    """Mean of ``error`` (batch, channel, *space) with one weight a case."""
    if weights is None:
        return error.mean()
    return (error.flatten(1).mean(dim=1) * weights).mean()
