"""The truth about a patient: tissue at any point, from which every image is made."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from vesalius.anatomy.fractions import Painter, head_fractions, share_inside
from vesalius.anatomy.lattice import Lattice
from vesalius.anatomy.lesions import draw_lesions, lesion_distance
from vesalius.anatomy.patient import Patient, deformation, folding
from vesalius.anatomy.tissue import DEEP_NUCLEI, Tissue
from vesalius.anatomy.tumour import (
    NECROSIS_FROM,
    OEDEMA_FROM,
    TUMOUR_FROM,
    box_about,
    cell_density,
)

CHUNK = 1 << 17


@lru_cache(maxsize=16)
def tumour_density(patient: Patient) -> tuple[Lattice, Tensor]:
    """Density of tumour cells of a patient with a tumour, on a lattice in the standard head."""
    assert patient.tumour is not None
    lattice = box_about(patient.tumour.seed_mm)
    tissue = head_fractions(
        lattice.points().reshape(-1, 3),
        edge_mm=lattice.spacing_mm,
        atrophy=patient.atrophy,
        folding=folding(patient),
    ).reshape(-1, *lattice.shape)
    white = tissue[Tissue.WHITE_MATTER]
    grey = tissue[Tissue.GREY_MATTER] + tissue[list(DEEP_NUCLEI)].sum(0)
    return lattice, cell_density(patient.tumour, white, grey, lattice)


def _paint_tumour(painter: Painter, patient: Patient, points: Tensor) -> None:
    lattice, density = tumour_density(patient)
    low = torch.tensor(lattice.low_mm)
    high = low + lattice.spacing_mm * (torch.tensor(lattice.shape) - 1)
    within = ((points >= low) & (points <= high)).all(-1).nonzero()[:, 0]
    if not len(within):
        return
    cells = torch.zeros(points.shape[0])
    cells[within] = lattice.read(density[..., None], points[within])[:, 0]

    def above(threshold: float, width: float) -> Tensor:
        return ((cells - threshold) / width + 0.5).clamp(0, 1)

    painter.turn(Tissue.WHITE_MATTER, Tissue.OEDEMA, above(OEDEMA_FROM, 0.10))
    painter.turn(Tissue.OEDEMA, Tissue.TUMOUR, above(TUMOUR_FROM, 0.12))
    for tissue in (Tissue.GREY_MATTER, Tissue.WHITE_MATTER, *DEEP_NUCLEI):
        painter.turn(tissue, Tissue.TUMOUR, above(TUMOUR_FROM, 0.12))
    painter.turn(Tissue.TUMOUR, Tissue.NECROSIS, above(NECROSIS_FROM, 0.06))


def tissue_fractions(patient: Patient, points: Tensor, *, edge_mm: float = 1.0) -> Tensor:
    """Share of every tissue ``(len(Tissue), n)`` at ``points`` ``(n, 3)``, RAS+ mm in the scanner.

    Shares sum to one. ``edge_mm`` is the width of the voxels that the points stand for: boundaries
    are as soft as those of voxels of that size.
    """
    parts = []
    for start in range(0, len(points), CHUNK):
        chunk = points[start : start + CHUNK].to(torch.float32)
        standard = deformation(patient).to_standard(chunk)
        painter = Painter(
            head_fractions(
                standard, edge_mm=edge_mm, atrophy=patient.atrophy, folding=folding(patient)
            )
        )
        if patient.lesion_volume_ml > 0:
            lesions = draw_lesions(patient.seed, patient.index, patient.lesion_volume_ml)
            white = (painter.fractions[Tissue.WHITE_MATTER] > 0).nonzero()[:, 0]
            share = torch.zeros(len(standard))
            if len(white):
                distance = lesion_distance(standard[white], lesions)
                share[white] = share_inside(distance, max(edge_mm, 0.8))
            painter.turn(Tissue.WHITE_MATTER, Tissue.WHITE_MATTER_LESION, share)
        if patient.tumour is not None:
            _paint_tumour(painter, patient, standard)
        parts.append(painter.fractions)
    return torch.cat(parts, 1)
