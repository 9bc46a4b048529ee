"""Images of a patient on a grid: the truth seen by each scanner."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.anatomy.blur import FWHM_PER_DEVIATION, gaussian_blur
from vesalius.anatomy.computed_tomography import attenuation_hu, kernel_noise
from vesalius.anatomy.grid import Grid
from vesalius.anatomy.magnetic_resonance import rician, sensitivity, tissue_signals
from vesalius.anatomy.patient import Patient
from vesalius.anatomy.positron_emission import counting_noise, uptake_suv
from vesalius.anatomy.scanner import Scanner, scanner_of
from vesalius.anatomy.tissue import LESIONS, Tissue
from vesalius.anatomy.truth import tissue_fractions
from vesalius.core.errors import UnknownName
from vesalius.core.image import Image
from vesalius.core.rng import torch_stream

#: Contrast to modality and unit.
MODALITIES = {
    "t1": ("MR-T1w", "a.u."),
    "t2": ("MR-T2w", "a.u."),
    "flair": ("MR-FLAIR", "a.u."),
    "pd": ("MR-PDw", "a.u."),
    "ct": ("CT", "HU"),
    "pet": ("PET", "SUV"),
}
LABELS = {
    "mask": ("mask", "label"),
    "tissues": ("segmentation", "label"),
    "lesion": ("mask", "label"),
}


def _blur_pixels(grid: Grid, width_mm: float) -> tuple[float, ...]:
    """Return in-plane standard deviations in pixels for a full width at half maximum."""
    deviation = width_mm / FWHM_PER_DEVIATION
    across = (0.0,) * (len(grid.size) - 2)
    return across + tuple(deviation / spacing for spacing in grid.spacing_mm[-2:])


def _noise_stream(patient: Patient, contrast: str, grid: Grid, repeat: int) -> torch.Generator:
    """Return the stream of one scan: each time, place, contrast and repeat has its own noise."""
    days = patient.tumour.age_days if patient.tumour else 0.0
    when = f"{patient.age_years:.4f} years, {days:.2f} days"
    where = f"{grid.z_mm:.3f} mm"
    again = (repeat,) if repeat else ()
    return torch_stream(
        patient.seed, "digital", patient.index, "noise", contrast, when, where, *again
    )


def _magnetic_resonance(
    fractions: Tensor,
    grid: Grid,
    scanner: Scanner,
    contrast: str,
    patient: Patient,
    shade: Tensor | None,
    repeat: int,
) -> Tensor:
    """Signal with shading and noise; where ``shade`` is None, with neither."""
    signal = (tissue_signals(scanner, contrast) @ fractions).reshape(grid.size)
    if shade is None:
        return signal
    rng = _noise_stream(patient, contrast, grid, repeat)
    return rician(signal * shade, scanner.mr_noise, rng)


def _computed_tomography(
    fractions: Tensor,
    grid: Grid,
    scanner: Scanner,
    patient: Patient,
    noise: bool,
    repeat: int,
) -> Tensor:
    width = _blur_pixels(grid, scanner.ct_blur_mm)
    image = gaussian_blur(attenuation_hu(fractions).reshape(grid.size), width)
    if not noise:
        return image
    rng = _noise_stream(patient, "ct", grid, repeat)
    texture = tuple(0.6 if pixels else 0.0 for pixels in width)
    return (image + kernel_noise(grid.size, scanner.ct_noise_hu, texture, rng)).clamp_min(-1024.0)


def _positron_emission(
    fractions: Tensor,
    grid: Grid,
    scanner: Scanner,
    patient: Patient,
    noise: bool,
    repeat: int,
) -> Tensor:
    """Uptake blurred in all three directions, also for a single slice.

    Across slices the Gaussian is integrated by Gauss-Hermite quadrature with three nodes; the outer
    two, of weight 1/6 each, are sampled on every other row and column of fine grids.
    """
    middle = uptake_suv(fractions).reshape(grid.size)
    offset = math.sqrt(3.0) * scanner.pet_blur_mm / FWHM_PER_DEVIATION
    # half of the resolution serves as long as pixels stay finer than the point spread
    even = all(count % 2 == 0 for count in grid.size[-2:])
    stride = 2 if even and grid.edge_mm < 0.4 * scanner.pet_blur_mm else 1
    total = middle * (2 / 3)
    for raise_mm in (-offset, offset):
        points = grid.points(raise_mm, stride)
        beside = uptake_suv(
            tissue_fractions(patient, points.reshape(-1, 3), edge_mm=grid.edge_mm * stride)
        ).reshape(points.shape[:-1])
        if stride > 1:
            flat = beside.reshape(-1, 1, *beside.shape[-2:])
            wide = functional.interpolate(
                flat, size=grid.size[-2:], mode="bilinear", align_corners=False
            )
            beside = wide.reshape(grid.size)
        total = total + beside / 6
    width = _blur_pixels(grid, scanner.pet_blur_mm)
    image = gaussian_blur(total, width)
    if not noise:
        return image
    rng = _noise_stream(patient, "pet", grid, repeat)
    texture = tuple(0.5 * pixels for pixels in width)
    return (image + counting_noise(image, scanner.pet_noise, texture, rng)).clamp_min(0.0)


def photograph(
    patient: Patient,
    grid: Grid,
    contrasts: tuple[str, ...] = tuple(MODALITIES),
    *,
    noise: bool = True,
    repeat: int = 0,
) -> Mapping[str, Image]:
    """Make images of ``patient`` on ``grid`` with the scanner of the patient's site, and the truth.

    Returns one image ``(1, *size)`` a contrast, and ``mask`` (the head, uint8), ``tissues`` (labels
    of :class:`Tissue`, uint8) and ``lesion`` (uint8). Without ``noise``, neither noise nor
    shading by the coil. Each ``repeat`` is another scan of the same visit: other noise, and nothing
    else. Typical ranges: T1w 0-2.2 (white matter 1), T2w 0-1 (fluid 1), FLAIR
    0-1.8 (grey matter 1), PDw 0-1.3 (grey matter 1), CT -1024 to 1500 HU, PET 0-12 SUV.
    """
    scanner = scanner_of(patient.site)
    affine = grid.affine()
    points = grid.points().reshape(-1, 3)
    fractions = tissue_fractions(patient, points, edge_mm=grid.edge_mm)
    # one coil for the whole session: the shading is alike in all contrasts
    coil = torch_stream(patient.seed, "digital", patient.index, "coil")
    shade = sensitivity(points, scanner.shading, coil).reshape(grid.size) if noise else None
    images: dict[str, Image] = {}
    for contrast in contrasts:
        if contrast not in MODALITIES:
            raise UnknownName("contrast", contrast, MODALITIES)
        modality, unit = MODALITIES[contrast]
        if contrast == "ct":
            data = _computed_tomography(fractions, grid, scanner, patient, noise, repeat)
        elif contrast == "pet":
            data = _positron_emission(fractions, grid, scanner, patient, noise, repeat)
        else:
            data = _magnetic_resonance(fractions, grid, scanner, contrast, patient, shade, repeat)
        images[contrast] = Image(data[None].contiguous(), affine, unit=unit, modality=modality)
    truths = {
        "mask": fractions[Tissue.AIR] < 0.5,
        "tissues": fractions.argmax(0),
        "lesion": fractions[list(LESIONS)].sum(0) > 0.5,
    }
    for name, values in truths.items():
        modality, unit = LABELS[name]
        labels = values.to(torch.uint8).reshape(1, *grid.size)
        images[name] = Image(labels, affine, unit=unit, modality=modality, stored="uint8")
    return images
