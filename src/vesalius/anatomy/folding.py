"""Cortical folding: random sheets that stand on the surface of the brain.

Sulci are the zero set of a band-limited Gaussian random field, which has the spacing and the
labyrinth of a convoluted cortex. The field is read at the point of the surface below which a point
lies, so that its sheets run inwards at right angles to the surface. A patient mixes the fields of a
basis with a unit vector, which gives a field of the same law: folds of his own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.anatomy.lattice import Lattice
from vesalius.core.rng import torch_stream

BASIS = 4
SPACING_MM = 12.5  # between neighbouring sulci
_SEED = 1543


def band_limited_field(
    lattice: Lattice, wavelength_mm: float, rng: torch.Generator, *, octaves: float = 0.45
) -> Tensor:
    """Draw a Gaussian random field of unit variance whose spectrum is a ring at ``wavelength_mm``.

    ``octaves`` is the standard deviation of the ring's logarithm (base 2).
    """
    white = torch.randn(lattice.shape, generator=rng)
    frequencies = [torch.fft.fftfreq(count, d=lattice.spacing_mm) for count in lattice.shape[:2]]
    frequencies.append(torch.fft.rfftfreq(lattice.shape[2], d=lattice.spacing_mm))
    grid = torch.meshgrid(*frequencies, indexing="ij")
    radius = torch.sqrt(sum((part**2 for part in grid), torch.zeros(()))).clamp_min(1e-6)
    ring = torch.exp(-0.5 * (torch.log2(radius * wavelength_mm) / octaves) ** 2)
    field = torch.fft.irfftn(torch.fft.rfftn(white) * ring, s=lattice.shape)
    normalised: Tensor = (field - field.mean()) / field.std()
    return normalised


def smooth(lattice: Lattice, fields: Tensor, deviation_mm: float) -> Tensor:
    """``fields`` ``(nx, ny, nz, c)`` under a Gaussian of standard deviation ``deviation_mm``."""
    for axis, count in enumerate(lattice.shape):
        node = torch.arange(count, dtype=torch.float32) * lattice.spacing_mm
        kernel = torch.exp(-0.5 * ((node[:, None] - node[None]) / deviation_mm) ** 2)
        kernel = kernel / kernel.sum(dim=1, keepdim=True)
        fields = torch.movedim(torch.tensordot(kernel, fields, dims=([1], [axis])), 0, axis)
    return fields.contiguous()


def folding_fields(lattice: Lattice, brain_mm: Tensor) -> tuple[Tensor, Tensor]:
    """Folding basis ``(nx, ny, nz, BASIS, 4)`` and depth of sulci in mm ``(nx, ny, nz)``.

    ``brain_mm`` is the signed distance to the smooth surface of the brain.
    """
    depth = (-brain_mm).clamp(0, 18)
    normal = lattice.gradient(brain_mm)
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp_min(0.5)
    # smoothing takes the tear out of the medial surface, where two sides of the brain are as near
    inward = smooth(lattice, 0.8 * depth[..., None] * normal, 4.0)
    surface = (lattice.points() + inward).reshape(-1, 3)
    rng = torch_stream(_SEED, "folding")
    fields = [band_limited_field(lattice, 2 * SPACING_MM, rng, octaves=0.33) for _ in range(BASIS)]
    reach = band_limited_field(lattice, 30.0, rng)
    drawn = lattice.read(torch.stack([*fields, reach], -1), surface)
    drawn = drawn.reshape(*lattice.shape, BASIS + 1)
    stacked = [
        torch.cat((drawn[..., k, None], lattice.gradient(drawn[..., k].contiguous())), -1)
        for k in range(BASIS)
    ]
    limit = (10.5 + 4 * drawn[..., BASIS]).clamp(4, 20)
    # the folds of the medial wall are shallow: white matter lies close behind the cingulate
    limit = limit * (1 - 0.5 * torch.exp(-((lattice.points()[..., 0] / 15) ** 2)))
    return torch.stack(stacked, -2), limit
