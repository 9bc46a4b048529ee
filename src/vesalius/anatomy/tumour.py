"""Growth of a glioma by reaction and diffusion, faster along white matter than in grey.

Fisher's equation, dc/dt = div(D grad c) + rho c (1 - c), for the cell density c relative to what
tissue can carry, with no flux into fluid or bone (Swanson, Alvord and Murray, Cell Prolif 2000).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.anatomy.lattice import Lattice

#: Cell densities from which oedema, enhancing tumour and necrosis are seen.
OEDEMA_FROM, TUMOUR_FROM, NECROSIS_FROM = 0.14, 0.55, 0.90


@dataclass(frozen=True)
class Tumour:
    """A tumour of a patient.

    ``seed_mm`` is where it began, in the standard head; diffusivities are in mm² a day and
    proliferation in 1 a day; ``age_days`` counts from the first visible cluster.
    """

    seed_mm: tuple[float, float, float]
    age_days: float
    diffusion_white_mm2: float = 0.12
    diffusion_grey_mm2: float = 0.024
    proliferation: float = 0.02


def stable_step_days(diffusion_mm2: float, proliferation: float, spacing_mm: float) -> float:
    """Longest step for which the explicit scheme keeps densities within [0, 1].

    With six neighbours, c stays a convex combination of its neighbourhood while
    dt (6 D / h² + rho) <= 1.
    """
    return 1.0 / (6.0 * diffusion_mm2 / spacing_mm**2 + proliferation)


def _faces(diffusivity: Tensor, axis: int) -> Tensor:
    """Harmonic means between neighbours, which are zero where either side is."""
    count = diffusivity.shape[axis]
    first, second = diffusivity.narrow(axis, 0, count - 1), diffusivity.narrow(axis, 1, count - 1)
    return 2 * first * second / (first + second).clamp_min(1e-12)


def simulate(
    density: Tensor, diffusivity: Tensor, proliferation: float, *, days: float, spacing_mm: float
) -> Tensor:
    """Cell density after ``days``.

    ``density`` and ``diffusivity`` (mm² a day, zero outside the brain): ``(nx, ny, nz)``. Explicit
    steps no longer than 0.9 of :func:`stable_step_days`; mass is exact under diffusion alone.
    """
    most = float(diffusivity.max())
    longest = 0.9 * stable_step_days(most, proliferation, spacing_mm)
    steps = max(1, int(-(-days // longest)))
    step = days / steps
    faces = [_faces(diffusivity, axis) * (step / spacing_mm**2) for axis in range(3)]
    habitable = diffusivity > 0
    density = density * habitable
    for _ in range(steps):
        change = step * proliferation * density * (1 - density) * habitable
        for axis, conductance in enumerate(faces):
            flux = conductance * density.diff(dim=axis)
            count = density.shape[axis]
            change.narrow(axis, 0, count - 1).add_(flux)
            change.narrow(axis, 1, count - 1).sub_(flux)
        density = density + change
    return density


def box_about(
    seed_mm: tuple[float, float, float], spacing_mm: float = 2.5, reach_mm: float = 50.0
) -> Lattice:
    """Return the lattice about ``seed_mm`` on which a tumour grows."""
    count = int(2 * reach_mm / spacing_mm) + 1
    low = (seed_mm[0] - reach_mm, seed_mm[1] - reach_mm, seed_mm[2] - reach_mm)
    return Lattice(low, spacing_mm, (count, count, count))


def cell_density(tumour: Tumour, white: Tensor, grey: Tensor, lattice: Lattice) -> Tensor:
    """Cell density of ``tumour`` on ``lattice`` whose nodes hold these shares of tissue."""
    diffusivity = tumour.diffusion_white_mm2 * white + tumour.diffusion_grey_mm2 * grey
    diffusivity = diffusivity * (white + grey > 0.5)
    away = (lattice.points() - torch.tensor(tumour.seed_mm)).norm(dim=-1)
    # folds are personal, so the seed may fall into a sulcus: gliomas begin in white matter
    origin = lattice.points()[away == away[white > 0.8 * white.max()].min()][0]
    gap = (lattice.points() - origin).norm(dim=-1)
    start = torch.exp(-0.5 * (gap / 3.0) ** 2)
    return simulate(
        start,
        diffusivity,
        tumour.proliferation,
        days=tumour.age_days,
        spacing_mm=lattice.spacing_mm,
    )
