"""The standard head: distances to the surfaces of its parts, from which every patient is made.

Coordinates are RAS+ millimetres about the anterior commissure (x to the right, y forward, z up),
with structures where the stereotaxic atlases put them (Talairach and Tournoux, 1988; Mazziotta et
al., Phil Trans R Soc B 2001). The head is left-right symmetric; patients are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from vesalius.anatomy.folding import BASIS, folding_fields
from vesalius.anatomy.lattice import Lattice
from vesalius.anatomy.shapes import blend, ellipsoid, tube

LATTICE = Lattice(low_mm=(-95.0, -125.0, -110.0), spacing_mm=2.5, shape=(77, 95, 85))

PARTS = (
    "skin",
    "skull",
    "cavity",
    "cerebrum",
    "cerebellum",
    "brainstem",
    "ventricles",
    "caudate",
    "putamen",
    "pallidum",
    "thalamus",
    "eyes",
    "orbits",
    "air",
    "muscle",
    "depth_limit",
)


@dataclass(frozen=True, eq=False)
class Head:
    """Fields of the standard head on a lattice.

    Parameters
    ----------
    lattice:
        Where the fields are known.
    parts:
        ``(nx, ny, nz, len(PARTS))`` signed distances in mm, negative inside; ``depth_limit`` is the
        depth in mm that sulci reach.
    folds:
        ``(nx, ny, nz, BASIS * 4)`` independent fields whose zero sets are sulci: value, gradient.
    skin:
        The first of ``parts`` alone, ``(nx, ny, nz, 1)``.
    """

    lattice: Lattice
    parts: Tensor
    folds: Tensor
    skin: Tensor


def _cerebrum(points: Tensor) -> Tensor:
    lobes = ellipsoid(points, (20, -24, 27), (50, 78, 49))
    lobes = blend(lobes, ellipsoid(points, (17, 32, 14), (37, 37, 38)), 18)
    lobes = blend(lobes, ellipsoid(points, (19, -70, 10), (39, 33, 34)), 18)
    temporal = tube(points, ((38, 18, -24, 13), (44, -8, -18, 21), (43, -38, -8, 21)))
    return blend(lobes, temporal, 10)


def _sylvian(points: Tensor) -> Tensor:
    """Shape the lateral fissure and the cleft over the insula."""
    x, y, z = points.unbind(-1)
    height = -4 - 0.6 * (y - 12) + 1.2 * torch.sin(y / 8.0) + 0.25 * (x - 50)
    slit = (z - height).abs() * 0.82 - 0.7
    slit = torch.maximum(slit, 38 - x)
    slit = torch.maximum(slit, torch.maximum(y - 26, -34 - y))
    cleft = ellipsoid(points, (39.5, 0, 2), (1.5, 23, 15), turn_degrees=8)
    return torch.minimum(slit, cleft)


def _ventricles(points: Tensor) -> Tensor:
    body = tube(
        points,
        (
            (11, 33, 2, 2.5),
            (9, 26, 7, 4.6),
            (7.5, 12, 13, 5.2),
            (8, -4, 19, 5.0),
            (11.5, -20, 21, 5.2),
            (22, -38, 15, 6.5),
            (27, -48, 8, 5),
        ),
    )
    flare = tube(points, ((16, 29, 8, 2.6), (12.5, 16, 15, 3.0), (14, -4, 21, 2.8)))
    temporal = tube(
        points, ((26, -42, 8, 5.0), (34, -30, -5, 3.0), (35, -14, -16, 2.0), (29, -7, -19, 1.4))
    )
    occipital = tube(points, ((26, -46, 9, 4.5), (25, -60, 8, 3.0), (22, -74, 7, 1.5)))
    lateral = blend(blend(body, flare, 4), blend(temporal, occipital, 3), 4)
    third = ellipsoid(points, (0, -13, 0), (2.4, 14, 11))
    fourth = ellipsoid(points, (0, -45, -33), (7, 5.5, 9))
    aqueduct = tube(points, ((0, -27, -6, 1.0), (0, -42, -28, 1.2)))
    septum = 1.0 - points[..., 0]
    lateral = torch.maximum(lateral, septum)
    return torch.minimum(torch.minimum(lateral, third), torch.minimum(fourth, aqueduct))


def _face(points: Tensor) -> Tensor:
    face = ellipsoid(points, (0, 40, -56), (62, 52, 62))
    nose = tube(points, ((0, 86, -32, 7), (0, 102, -60, 10)))
    neck = tube(points, ((0, -24, -70, 56), (0, -34, -170, 54)))
    return blend(blend(face, nose, 12), neck, 30)


def _air(points: Tensor) -> Tensor:
    nasal = torch.maximum(ellipsoid(points, (9, 56, -48), (6, 30, 16)), 2 - points[..., 0])
    maxillary = ellipsoid(points, (31, 54, -62), (12, 14, 14))
    frontal = ellipsoid(points, (9, 77, -7), (9, 4, 9))
    sphenoid = ellipsoid(points, (6, 18, -38), (8, 10, 7))
    ethmoid = ellipsoid(points, (9, 48, -30), (6, 18, 8))
    throat = tube(points, ((0, 18, -62, 9), (0, 2, -88, 9), (0, 6, -170, 9)))
    canal = tube(points, ((52, -20, -36, 3), (84, -24, -38, 4)))
    mastoid = ellipsoid(points, (52, -40, -42), (7, 9, 12))
    total = nasal
    for cavity in (maxillary, frontal, sphenoid, ethmoid, throat, canal, mastoid):
        total = torch.minimum(total, cavity)
    return total


def _parts(points: Tensor) -> dict[str, Tensor]:
    """Return the parts' distances at ``points``, apart from folding."""
    folded = points.clone()
    folded[..., 0] = folded[..., 0].abs()
    x = folded[..., 0]

    lobes = _cerebrum(folded)
    cerebellum = blend(
        ellipsoid(folded, (24, -62, -35), (32, 30, 22)),
        ellipsoid(folded, (0, -64, -34), (14, 26, 21)),
        8,
    )
    stem = tube(
        points,
        (
            (0, -17, 2, 13),
            (0, -23, -12, 13),
            (0, -24, -28, 16),
            (0, -36, -56, 9),
            (0, -46, -130, 6),
        ),
    )
    cerebrum = torch.maximum(lobes, 2.0 - cerebellum)
    core = ellipsoid(points, (0, -10, 5), (60, 42, 22))
    fissure = torch.maximum(x - 0.9, -core)
    cerebrum = torch.maximum(cerebrum, -torch.minimum(fissure, _sylvian(folded)))

    mirrored = points.clone()
    mirrored[..., 0] = -x
    whole = blend(lobes, _cerebrum(mirrored), 12)
    cavity = blend(blend(whole, cerebellum, 9), stem, 8) - 1.9
    thickness = (
        5.5
        + 1.2 * torch.tanh((-points[..., 1] - 40) / 30)
        + 1.5 * torch.exp(-(((points[..., 1] - 76) / 14) ** 2))
    )
    vault = cavity - thickness
    spine = torch.maximum(tube(points, ((0, -46, -70, 19), (0, -50, -170, 20))), -(stem - 4))
    jaw = tube(folded, ((46, -2, -48, 5), (46, 4, -86, 6), (12, 70, -104, 7), (0, 74, -104, 7)))
    cheek = tube(folded, ((62, 10, -42, 3.5), (58, 40, -44, 4), (40, 62, -44, 5)))
    maxilla = ellipsoid(folded, (18, 56, -62), (28, 24, 22))
    orbits = tube(folded, ((31, 62, -34, 16), (24, 42, -34, 13), (16, 22, -32, 5)))
    maxilla = torch.maximum(maxilla, -maxilla - 5)
    rim = torch.maximum(orbits - 3.0, points[..., 1] - 68)
    skull = torch.minimum(
        torch.minimum(blend(vault, rim, 4), maxilla),
        torch.minimum(torch.minimum(jaw, cheek), spine),
    )
    petrous = tube(folded, ((18, -16, -38, 7), (46, -28, -38, 12)))
    cavity = torch.maximum(cavity, -petrous)
    skull = torch.minimum(skull, petrous)

    temporalis = torch.maximum(ellipsoid(folded, (62, 16, -16), (14, 34, 36)), 1 - vault)
    neck_muscle = torch.maximum(ellipsoid(folded, (24, -66, -90), (34, 32, 60)), -(spine - 1))
    muscle = torch.minimum(temporalis, neck_muscle)
    scalp = vault - 5.5 - 1.5 * torch.tanh((-points[..., 1] - 30) / 40)
    skin = blend(
        blend(scalp, _face(folded), 16), ellipsoid(folded, (60, 12, -22), (16, 40, 40)), 20
    )
    ear = tube(folded, ((82, -22, -24, 4), (90, -32, -20, 3), (88, -30, -44, 3), (80, -20, -48, 4)))
    skin = blend(skin, ear, 5)
    return {
        "skin": skin,
        "skull": torch.maximum(skull, skin + 2.5),
        "cavity": cavity,
        "cerebrum": cerebrum,
        "cerebellum": cerebellum,
        "brainstem": stem,
        "ventricles": _ventricles(folded),
        "caudate": tube(
            folded,
            (
                (13, 20, 1, 5.4),
                (15.5, 12, 8, 5.8),
                (18.5, -2, 17, 4),
                (20, -18, 20, 2.8),
                (29, -34, 12, 2),
            ),
        ),
        "putamen": ellipsoid(folded, (26, 2, 1), (5.5, 17, 10), turn_degrees=12),
        "pallidum": ellipsoid(folded, (19.5, -3, -1), (4, 10, 7), turn_degrees=22),
        "thalamus": ellipsoid(folded, (11, -17, 7), (8.0, 14, 9), turn_degrees=22),
        "eyes": ellipsoid(folded, (32, 63, -34), (12, 12, 12)),
        "orbits": orbits,
        "air": _air(folded),
        "muscle": muscle,
    }


@cache
def standard_head() -> Head:
    """Return the standard head; made at the first call (about a second), then kept in memory."""
    points = LATTICE.points()
    parts = _parts(points)
    folds, limit = folding_fields(LATTICE, torch.minimum(parts["cerebrum"], parts["cerebellum"]))
    parts["depth_limit"] = limit
    stacked = torch.stack([parts[name] for name in PARTS], -1)
    return Head(LATTICE, stacked, folds.flatten(-2).contiguous(), parts["skin"][..., None])


__all__ = ["BASIS", "LATTICE", "PARTS", "Head", "standard_head"]
