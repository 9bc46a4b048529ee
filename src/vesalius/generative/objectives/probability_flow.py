"""One step along the probability flow, cases at different times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand

Solver = Literal["ddim", "heun"]


def flow_step(
    denoise: Callable[[Tensor, Tensor], Tensor],
    path: GaussianPath,
    x: Tensor,
    now: Tensor,
    then: Tensor,
    solver: Solver,
) -> Tensor:
    """Where ``x`` at times ``now`` goes by times ``then``, both (batch,); one call, or Heun's two.

    As in the samplers, steps are taken in z = x / signal against r = noise / signal, where dz/dr
    is the predicted noise.
    """
    clean = denoise(x, now)
    ahead = path.move(x, clean, now, then)
    if solver == "ddim":
        return ahead
    first = path.noise_in(x, clean, now)
    second = path.noise_in(ahead, denoise(ahead, then), then)
    z = x / expand(path.signal(now), x)
    step = expand(path.ratio(then) - path.ratio(now), x)
    moved: Tensor = (z + step * (first + second) / 2) * expand(path.signal(then), x)
    return moved


def clean_behind(path: GaussianPath, x: Tensor, ahead: Tensor, now: Tensor, then: Tensor) -> Tensor:
    """The clean image with which one step of DDIM leads from ``x`` to ``ahead``.

    Salimans & Ho 2022, appendix G; the inverse of ``path.move`` in its second argument.
    """
    kept = expand(path.noise(then) / path.noise(now), x)
    signal, before = expand(path.signal(then), x), expand(path.signal(now), x)
    return (ahead - kept * x) / (signal - kept * before)
