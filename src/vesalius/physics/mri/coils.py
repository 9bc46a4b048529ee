"""Simulated receiver coils: a ring of small loops around the head."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError


def simulated_coil_maps(space: tuple[int, ...], n_coils: int, seed: int) -> Tensor:
    """Complex sensitivities ``(coil, *space)``, complex64, whose squares sum to one everywhere.

    Every coil is a small current loop that faces the centre from outside the field of view. Its
    sensitivity is its transverse magnetic field ``B_x - i B_y``, so magnitude and phase are smooth
    and belong together. The field is the curl of ``m x r / (r^2 + a^2)^(3/2)``: free of divergence,
    a dipole's far away and on the axis exactly that of a loop of radius ``a`` (Biot-Savart).
    ``seed`` turns the ring and moves each loop a little. In three dimensions the ring lies around
    the first axis, loops alternate along it. A single coil is one everywhere.

    References
    ----------
    Roemer et al., The NMR phased array, Magn. Reson. Med. 16, 192 (1990).
    """
    if len(space) not in (2, 3) or n_coils < 1:
        raise InputError(
            "2 or 3 axes of space and a coil or more", came=f"{space}, {n_coils} coils"
        )
    if n_coils == 1:
        return torch.ones(1, *space, dtype=torch.complex64)
    rng = np.random.default_rng(seed)
    angle = 2 * math.pi * (np.arange(n_coils) + rng.uniform(-0.15, 0.15, n_coils)) / n_coils
    angle += rng.uniform(0, 2 * math.pi)
    distance = rng.uniform(1.35, 1.65, n_coils)  # 1 is half the field of view
    height = rng.uniform(-0.2, 0.2, n_coils)
    if len(space) == 3:
        height += np.where(np.arange(n_coils) % 2, 0.5, -0.5)
    loop_radius = rng.uniform(0.4, 0.6, n_coils)

    def column(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).reshape(-1, *[1] * len(space))

    axes = [(torch.arange(size) - size // 2) * (2.0 / size) for size in space]
    grid = torch.meshgrid(*axes, indexing="ij")
    v, u = grid[-2], grid[-1]
    w = grid[0] if len(space) == 3 else torch.zeros(())
    cosine, sine = column(np.cos(angle)), column(np.sin(angle))
    to_u, to_v = u - column(distance) * cosine, v - column(distance) * sine
    to_w = w - column(height)
    radius_squared = column(loop_radius) ** 2
    squared = to_u**2 + to_v**2 + to_w**2 + radius_squared
    # the loop's axis points at the centre: m = -(cosine, sine)
    along = -(to_u * cosine + to_v * sine)
    against = squared - 3 * radius_squared
    # the common factor (r^2 + a^2)^(-5/2), by products: a power takes ten times as long
    inverse = squared.rsqrt()
    inverse_squared = inverse * inverse
    falling = inverse * inverse_squared * inverse_squared
    field_u = (3 * along * to_u + against * cosine) * falling
    field_v = (3 * along * to_v + against * sine) * falling
    length = (field_u.square() + field_v.square()).sum(0).rsqrt()
    return torch.complex(field_u * length, -field_v * length)
