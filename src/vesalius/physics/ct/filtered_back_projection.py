"""Filtered back-projection: what CT has been reconstructed with for fifty years."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from vesalius.core.errors import InputError
from vesalius.physics.ct.line_integrals import LineIntegrals, columns, precise

CHUNK = 2**21  # pixels of views kept at once: bounds memory, changes no value


def filtered_back_projection(rays: LineIntegrals, sinograms: Tensor) -> Tensor:
    """Images ``(batch, *leading, row, column)`` of ``(batch, *leading, angle, detector)``.

    From line integrals in the image's unit times mm to the image's unit. The ramp filter without a
    window, band-limited by the detector and taken in space; each pixel then takes from every view
    what lies between its two nearest elements, linearly: Kak and Slaney, Principles of
    Computerized Tomographic Imaging, 1988, equations 3.61 and 3.68. Linear and differentiable.
    Raises InputError unless the views are spread evenly over half a turn, in any order.
    """
    _require_half_a_turn(rays.angles_degrees)
    rays.codomain.require(sinograms, "sinograms")
    flat = precise(sinograms.flatten(0, -3))
    filtered = columns(_filtered(flat, rays.pitch_mm).flatten(1))
    found = filtered.new_zeros(math.prod(rays.shape[-2:]), len(flat))
    for first in range(0, len(rays.angles_degrees), _views(rays)):
        index, shares = _places(rays, first, filtered.device, filtered.dtype)
        found = found + embedding_bag(index, filtered, mode="sum", per_sample_weights=shares)
    images = ((math.pi / len(rays.angles_degrees)) * found.T).to(sinograms.dtype)
    return images.reshape(*sinograms.shape[:-2], *rays.shape[-2:])


def _require_half_a_turn(angles_degrees: tuple[float, ...]) -> None:
    turn = sorted(angle % 180 for angle in angles_degrees)
    gaps = [after - before for before, after in zip(turn, [*turn[1:], turn[0] + 180], strict=True)]
    if max(gaps) - min(gaps) > 1e-6:
        raise InputError(
            "views spread evenly over half a turn",
            came=f"{len(turn)} views between {min(gaps):g} and {max(gaps):g} degrees apart",
        )


def _filtered(sinograms: Tensor, pitch_mm: float) -> Tensor:
    """The ramp's response at whole elements, convolved along the detector."""
    size = 1 << (2 * sinograms.shape[-1] - 1).bit_length()
    place = torch.fft.fftfreq(size, 1 / size, dtype=torch.float64)
    odd = place.remainder(2) == 1
    ramp = torch.where(odd, -1 / (math.pi * torch.where(odd, place, 1.0)) ** 2, 0.0)
    ramp[0] = 0.25
    response = torch.fft.rfft(ramp).real.to(sinograms) / pitch_mm
    spectrum = torch.fft.rfft(sinograms, n=size)
    filtered: Tensor = torch.fft.irfft(spectrum * response, n=size)
    return filtered[..., : sinograms.shape[-1]]


def _views(rays: LineIntegrals) -> int:
    """Views that are taken together."""
    return max(1, CHUNK // (2 * math.prod(rays.shape[-2:])))


@lru_cache(maxsize=4)
def _places(
    rays: LineIntegrals, first: int, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Elements that each pixel lies between and their shares, ``(pixel, 2 views)``."""
    angles = rays.angles_degrees[first : first + _views(rays)]
    theta = torch.tensor(angles, dtype=torch.float64).deg2rad()
    y, x = (
        (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * step
        for n, step in zip(rays.shape[-2:], rays.spacing_mm, strict=True)
    )
    s = -y[:, None, None] * theta.sin() + x[:, None] * theta.cos()  # rows go down, y up
    place = s.flatten(0, 1) / rays.pitch_mm + (rays.detectors - 1) / 2
    before = place.floor()
    share = place - before
    row = rays.detectors * torch.arange(first, first + len(angles))
    index, shares = [], []
    for element, part in ((before, 1 - share), (before + 1, share)):
        inside = (element >= 0) & (element <= rays.detectors - 1)
        index.append(element.clamp(0, rays.detectors - 1).long() + row)
        shares.append(torch.where(inside, part, 0.0))
    return torch.cat(index, dim=1).to(device), torch.cat(shares, dim=1).to(device, dtype)
