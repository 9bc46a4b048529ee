"""White-matter lesions as in multiple sclerosis: ellipsoids about the ventricles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from vesalius.anatomy.head import LATTICE, PARTS, standard_head
from vesalius.core.rng import numpy_stream

_MOST = 400


@dataclass(frozen=True)
class Lesion:
    """An ellipsoid of revolution in the standard head; ``axis`` is the unit vector along it."""

    centre_mm: tuple[float, float, float]
    axis: tuple[float, float, float]
    half_length_mm: float
    half_width_mm: float

    @property
    def volume_ml(self) -> float:
        """Volume of the ellipsoid."""
        return 4 / 3 * math.pi * self.half_length_mm * self.half_width_mm**2 / 1000


@cache
def _places() -> tuple[Tensor, Tensor, Tensor]:
    """Where lesions may lie ``(n, 3)``, the way out from the ventricle there, and how likely."""
    head = standard_head()
    part = {name: head.parts[..., i] for i, name in enumerate(PARTS)}
    near = part["ventricles"]
    allowed = (near > 2.0) & (near < 22.0) & (part["cerebrum"] < -9.0)
    for name in ("caudate", "putamen", "pallidum", "thalamus", "brainstem"):
        allowed &= part[name] > 3.0
    points = LATTICE.points()
    # above the basal ganglia, and not in the septum
    allowed &= (points[..., 2] > 2.0) & (points[..., 0].abs() > 8.0)
    outward = LATTICE.gradient(near.contiguous())[allowed]
    outward = outward / outward.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    return points[allowed], outward, torch.exp(-near[allowed] / 7.0)


@cache
def draw_lesions(seed: int, index: int, volume_ml: float) -> tuple[Lesion, ...]:
    """Draw the lesions of a patient, ``volume_ml`` together.

    Lesions come in an order that does not depend on the volume, so a greater volume keeps those of
    a smaller one and adds to them; only the last one grows.
    """
    points, outward, weight = _places()
    chance = (weight / weight.sum()).double().numpy()
    chance = chance / chance.sum()
    found: list[Lesion] = []
    left = volume_ml
    for number in range(_MOST):
        if left <= 1e-6:
            break
        rng = numpy_stream(seed, "digital", index, "lesion", number)
        at = int(rng.choice(len(chance), p=chance))
        width = float(min(max(rng.lognormal(0.85, 0.4), 1.2), 6.0))
        length = width * float(rng.uniform(1.0, 1.9))
        jitter = rng.normal(0.0, 1.0, 3)
        tilt = outward[at].double().numpy() + rng.normal(0.0, 0.25, 3)
        tilt = tilt / math.sqrt(float((tilt**2).sum()))
        lesion = Lesion(
            centre_mm=tuple((points[at].double().numpy() + jitter).tolist()),
            axis=tuple(tilt.tolist()),
            half_length_mm=length,
            half_width_mm=width,
        )
        if lesion.volume_ml > left:
            shrink = (left / lesion.volume_ml) ** (1 / 3)
            lesion = Lesion(lesion.centre_mm, lesion.axis, length * shrink, width * shrink)
        left -= lesion.volume_ml
        found.append(lesion)
    return tuple(found)


def lesion_distance(points: Tensor, lesions: tuple[Lesion, ...]) -> Tensor:
    """Signed distance ``(n,)`` in mm to the nearest lesion, at points of the standard head."""
    nearest = torch.full((points.shape[0],), 1e3)
    if not lesions:
        return nearest
    centres = points.new_tensor([lesion.centre_mm for lesion in lesions])
    axes = points.new_tensor([lesion.axis for lesion in lesions])
    lengths = points.new_tensor([lesion.half_length_mm for lesion in lesions])
    widths = points.new_tensor([lesion.half_width_mm for lesion in lesions])
    point, which = (torch.cdist(points, centres) < lengths + 5.0).nonzero().unbind(1)
    offset = points[point] - centres[which]
    along = (offset * axes[which]).sum(-1)
    across = (offset.square().sum(-1) - along**2).clamp_min(0).sqrt()
    # an outline that is not quite an ellipsoid
    wobble = 0.12 * torch.sin(offset.sum(-1) * 2.0 / widths[which])
    level = torch.hypot(along / lengths[which], across / widths[which]) + wobble
    return nearest.scatter_reduce(0, point, (level - 1) * widths[which], "amin")
