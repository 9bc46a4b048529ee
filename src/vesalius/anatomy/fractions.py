"""How much of each tissue lies at a point of a patient: the truth that images are made from.

Parts are painted one over another from the outside in, each with the share of the point's
surroundings (a voxel ``edge_mm`` wide) that lies inside it, so fractions always sum to one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.anatomy.atrophy import Atrophy
from vesalius.anatomy.folding import BASIS, SPACING_MM
from vesalius.anatomy.head import PARTS, standard_head
from vesalius.anatomy.tissue import Tissue

SKIN_MM = 2.0
CORTICAL_BONE_MM = 1.9


def share_inside(distance_mm: Tensor, edge_mm: float) -> Tensor:
    """Share of a voxel inside a plane surface at ``distance_mm`` (negative is inside)."""
    return (0.5 - distance_mm / edge_mm).clamp(0, 1)


class Painter:
    """Tissue fractions ``(len(Tissue), n)`` being made: what is painted last lies on top."""

    def __init__(self, fractions: Tensor) -> None:
        self.fractions = fractions

    def paint(self, tissue: Tissue, share: Tensor) -> None:
        """Cover ``share`` of every point with ``tissue``."""
        self.fractions.mul_(1 - share)
        self.fractions[tissue] += share

    def turn(self, old: Tissue, new: Tissue, share: Tensor) -> None:
        """Change ``share`` of what is ``old`` into ``new``."""
        moved = self.fractions[old] * share
        self.fractions[old] -= moved
        self.fractions[new] += moved


def _sheet_distance(folds: Tensor, weights: Tensor) -> Tensor:
    """First-order distance in mm to the nearest sheet where the mixed folding field is zero."""
    mixed = torch.einsum("nkf,k->nf", folds.reshape(-1, BASIS, 4), weights)
    wavenumber = math.pi / SPACING_MM
    # exact for a plane wave of the field's wavelength, and bounded where the gradient vanishes
    return torch.atan2(wavenumber * mixed[:, 0].abs(), mixed[:, 1:].norm(dim=-1)) / wavenumber


def _folia_distance(points: Tensor) -> Tensor:
    """Distance in mm to the nearest fissure between the leaves of the cerebellum."""
    x, y, z = points.unbind(-1)
    angle = torch.atan2(z + 30, -(y + 38))
    radius = torch.sqrt((0.75 * x) ** 2 + (y + 28) ** 2 + (z + 24) ** 2)
    place = (angle * 24 + 0.75 * radius + 0.9 * torch.sin(x / 5 + z / 7)) / 5.0
    return (place - place.round()).abs() * 5.0


def head_fractions(points: Tensor, *, edge_mm: float, atrophy: Atrophy, folding: Tensor) -> Tensor:
    """Tissue fractions ``(len(Tissue), n)`` at ``points`` ``(n, 3)`` of the standard head, in mm.

    ``folding`` is the unit vector that mixes the folding basis, ``(BASIS,)``.
    """
    head = standard_head()
    fractions = torch.zeros(len(Tissue), points.shape[0])
    fractions[Tissue.AIR] = 1.0
    near = (head.lattice.read(head.skin, points)[:, 0] < edge_mm).nonzero()[:, 0]
    points = points[near]
    part = dict(zip(PARTS, head.lattice.read(head.parts, points).T.contiguous(), strict=True))
    painted = _envelope(points, part, fractions[:, near], edge_mm)
    within = (part["cavity"] < edge_mm).nonzero()[:, 0]
    inner = {name: values[within] for name, values in part.items()}
    painted[:, within] = _brain(
        points[within], inner, painted[:, within], edge_mm, atrophy, folding
    )
    fractions[:, near] = painted
    return fractions


def _envelope(points: Tensor, part: dict[str, Tensor], fractions: Tensor, edge_mm: float) -> Tensor:
    """Paint everything outside the cavity of the skull."""
    x, y, z = points.unbind(-1)
    painter = Painter(fractions)

    def inside(distance: Tensor) -> Tensor:
        return share_inside(distance, edge_mm)

    # integument, fat and muscle
    skin = part["skin"]
    painter.paint(Tissue.SOFT_TISSUE, inside(skin))
    streaks = torch.sin(x / 6.1 + 1.3 * torch.sin(y / 13 + z / 17)) * torch.sin(y / 10 + z / 14)
    fat = torch.maximum(skin + SKIN_MM, 1.0 - part["skull"])
    flesh = torch.maximum(skin + 8.5 + 2 * streaks, 4.0 * (streaks - 0.75))
    painter.paint(Tissue.FAT, inside(torch.maximum(fat, -flesh)))
    painter.paint(Tissue.SOFT_TISSUE, inside(torch.maximum(part["muscle"], skin + SKIN_MM + 1.5)))
    painter.paint(Tissue.FAT, inside(part["orbits"]))
    # optic nerve and eye muscles are the core of the orbit behind the globe
    painter.paint(Tissue.SOFT_TISSUE, inside(torch.maximum(part["orbits"] + 9.5, y - 52)))

    # skull: two tables of cortical bone around marrow
    skull = part["skull"]
    painter.paint(Tissue.CORTICAL_BONE, inside(skull))
    marrow = torch.maximum(skull + CORTICAL_BONE_MM, CORTICAL_BONE_MM + 0.2 - part["cavity"])
    painter.paint(Tissue.MARROW, inside(marrow))
    painter.paint(Tissue.VITREOUS, inside(part["eyes"]))
    painter.paint(Tissue.SOFT_TISSUE, inside(torch.maximum(part["eyes"], -(part["eyes"] + 1.1))))
    painter.paint(Tissue.AIR, inside(part["air"]))
    return painter.fractions


def _brain(
    points: Tensor,
    part: dict[str, Tensor],
    fractions: Tensor,
    edge_mm: float,
    atrophy: Atrophy,
    folding: Tensor,
) -> Tensor:
    """Paint the contents of the skull."""
    head = standard_head()
    painter = Painter(fractions)

    def inside(distance: Tensor) -> Tensor:
        return share_inside(distance, edge_mm)

    painter.paint(Tissue.CEREBROSPINAL_FLUID, inside(part["cavity"]))
    hull = part["cerebrum"] + atrophy.shrinkage_mm
    sheet = _sheet_distance(head.lattice.read(head.folds, points), folding)
    beyond = (-hull - part["depth_limit"]).clamp_min(0)
    sulcus = torch.sqrt(sheet**2 + beyond**2) - atrophy.sulcus_half_width_mm
    surface = torch.minimum(-hull, sulcus)
    white = atrophy.cortical_thickness_mm - surface
    painter.paint(Tissue.GREY_MATTER, inside(-surface))
    painter.paint(Tissue.WHITE_MATTER, inside(white))

    leaf = torch.sqrt(_folia_distance(points) ** 2 + (-part["cerebellum"] - 13).clamp_min(0) ** 2)
    leaf = torch.minimum(
        leaf - 0.25 - 0.4 * atrophy.sulcus_half_width_mm, -part["cerebellum"] - 0.3
    )
    painter.paint(Tissue.GREY_MATTER, inside(-leaf))
    painter.paint(Tissue.WHITE_MATTER, inside(1.55 - leaf))
    painter.paint(Tissue.WHITE_MATTER, inside(part["brainstem"]))

    for name in ("caudate", "putamen", "pallidum", "thalamus"):
        painter.paint(Tissue[name.upper()], inside(part[name] + 0.5 * atrophy.shrinkage_mm))
    painter.paint(Tissue.VENTRICLE, inside(part["ventricles"] - atrophy.ventricle_growth_mm))
    return painter.fractions
