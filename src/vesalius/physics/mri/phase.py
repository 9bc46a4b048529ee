"""A smooth random phase for images that were stored as magnitudes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError


def draw_phase(
    rng: np.random.Generator,
    axes: int,
    *,
    polynomial_radians: float = 1.0,
    waves: int = 6,
    wave_radians: float = 0.3,
) -> dict[str, Any]:
    """Draw a phase for images with ``axes`` axes of space, as plain JSON.

    A constant from the whole circle, linear and quadratic terms as from shimming and echo timing
    (standard deviation ``polynomial_radians`` at the edge of the field of view, divided by
    the order), and ``waves`` cosines of at most 1.5 periods across it as from tissue (standard
    deviation together ``wave_radians``).
    """
    exponents = [powers for powers in np.ndindex(*[3] * axes) if 0 < sum(powers) <= 2]
    return {
        "constant": float(rng.uniform(-math.pi, math.pi)),
        "polynomial": [
            {
                "powers": list(powers),
                "radians": float(rng.normal(0, polynomial_radians / sum(powers))),
            }
            for powers in exponents
        ],
        "waves": [
            {
                "periods": [float(f) for f in rng.uniform(-1.5, 1.5, axes)],
                "shift": float(rng.uniform(0, 2 * math.pi)),
                "radians": float(rng.normal(0, wave_radians * math.sqrt(2 / waves))),
            }
            for _ in range(waves)
        ],
    }


def phase_map(record: dict[str, Any], space: tuple[int, ...]) -> Tensor:
    """Evaluate the drawn phase in radians, ``space``, float32; the same field at any resolution."""
    axes = [(torch.arange(size, dtype=torch.float32) - size // 2) * (2.0 / size) for size in space]
    grid = torch.meshgrid(*axes, indexing="ij")
    if any(len(term["powers"]) != len(space) for term in record["polynomial"]):
        raise InputError(
            f"a phase drawn for {len(space)} axes of space",
            came=f"one for {len(record['polynomial'][0]['powers'])}",
        )
    phase = torch.full(space, record["constant"])
    for term in record["polynomial"]:
        product = torch.full((), term["radians"])
        for position, power in zip(grid, term["powers"], strict=True):
            product = product * position**power
        phase = phase + product
    for wave in record["waves"]:
        argument = torch.full((), wave["shift"])
        for position, periods in zip(grid, wave["periods"], strict=True):
            argument = argument + math.pi * periods * position
        phase = phase + wave["radians"] * torch.cos(argument)
    return phase


def random_phase_image(magnitude: Tensor, record: dict[str, Any]) -> Tensor:
    """Give a magnitude image its phase: ``space`` or ``(1, *space)`` to real ``(2, *space)``.

    ``magnitude`` is zero or more; ``record`` is from :func:`draw_phase`.
    """
    axes = len(record["polynomial"][0]["powers"])
    if magnitude.ndim == axes + 1 and magnitude.shape[0] == 1:
        magnitude = magnitude[0]
    if magnitude.ndim != axes:
        raise InputError(
            f"a magnitude image with {axes} axes of space", came=f"shape {tuple(magnitude.shape)}"
        )
    if bool((magnitude < 0).any()):
        raise InputError(
            "a magnitude of zero or more",
            came=f"{float(magnitude.min()):.3g}",
            remedy="shift the image so that air is zero",
        )
    phase = phase_map(record, tuple(magnitude.shape)).to(magnitude)
    return torch.stack([magnitude * torch.cos(phase), magnitude * torch.sin(phase)])
