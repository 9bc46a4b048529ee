"""Signed distances of solid shapes, in mm: negative inside, positive outside.

Points are ``(..., 3)`` in millimetres. Distances are exact for capsules of constant radius and
correct to first order at the surface for ellipsoids, which is what partial volume needs.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

Vector = tuple[float, float, float]


def ellipsoid(points: Tensor, centre: Vector, radii: Vector, turn_degrees: float = 0.0) -> Tensor:
    """Distance to an ellipsoid, turned about the z axis by ``turn_degrees`` counter-clockwise."""
    offset = points - points.new_tensor(centre)
    if turn_degrees:
        cosine, sine = (
            math.cos(math.radians(turn_degrees)),
            math.sin(math.radians(turn_degrees)),
        )
        x, y, z = offset.unbind(-1)
        offset = torch.stack((cosine * x + sine * y, -sine * x + cosine * y, z), -1)
    scaled = offset / points.new_tensor(radii)
    level = scaled.norm(dim=-1)
    slope = (scaled / points.new_tensor(radii)).norm(dim=-1)
    # value over gradient of the quadric's level function; the clamp is for the very centre
    distance = level * (level - 1) / slope.clamp_min(1e-6)
    return torch.where(slope < 1e-6, -min(radii) * torch.ones_like(level), distance)


def tube(points: Tensor, path: tuple[tuple[float, float, float, float], ...]) -> Tensor:
    """Distance to a tube through ``path``, whose entries are x, y, z and radius."""
    nearest = torch.full(points.shape[:-1], math.inf, dtype=points.dtype)
    for first, second in itertools.pairwise(path):
        start, end = points.new_tensor(first[:3]), points.new_tensor(second[:3])
        axis = end - start
        along = ((points - start) @ axis / axis.dot(axis)).clamp(0, 1)
        gap = (points - (start + along[..., None] * axis)).norm(dim=-1)
        radius = first[3] + along * (second[3] - first[3])
        nearest = torch.minimum(nearest, gap - radius)
    return nearest


def blend(first: Tensor, second: Tensor, width_mm: float) -> Tensor:
    """Union of two shapes with a fillet about ``width_mm`` wide where they meet."""
    mix = (0.5 + 0.5 * (second - first) / width_mm).clamp(0, 1)
    return second + mix * (first - second) - width_mm * mix * (1 - mix)
