"""From tissue fractions to FDG PET images in standardised uptake values."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.anatomy.blur import gaussian_blur
from vesalius.anatomy.tissue import Tissue

#: FDG uptake (SUV) about 45 minutes after injection: grey matter about three times white
#: (Huisman et al., EJNMMI Res 2012, and textbook ranges for disease).
UPTAKE_SUV: dict[Tissue, float] = {
    Tissue.AIR: 0.0,
    Tissue.SOFT_TISSUE: 1.0,
    Tissue.FAT: 0.35,
    Tissue.CORTICAL_BONE: 0.4,
    Tissue.MARROW: 1.1,
    Tissue.CEREBROSPINAL_FLUID: 0.5,
    Tissue.VENTRICLE: 0.5,
    Tissue.GREY_MATTER: 9.5,
    Tissue.WHITE_MATTER: 3.2,
    Tissue.CAUDATE: 10.0,
    Tissue.PUTAMEN: 10.5,
    Tissue.PALLIDUM: 7.0,
    Tissue.THALAMUS: 9.5,
    Tissue.VITREOUS: 0.6,
    Tissue.WHITE_MATTER_LESION: 2.2,
    Tissue.OEDEMA: 2.4,
    Tissue.TUMOUR: 11.5,
    Tissue.NECROSIS: 1.2,
}


def uptake_suv(fractions: Tensor) -> Tensor:
    """Mean uptake ``(n,)`` in SUV of tissue fractions ``(len(Tissue), n)``."""
    return torch.tensor([UPTAKE_SUV[tissue] for tissue in Tissue]) @ fractions


def counting_noise(
    uptake: Tensor, deviation: float, blur_pixels: tuple[float, ...], rng: torch.Generator
) -> Tensor:
    """Noise whose variance is ``deviation``² times the uptake, correlated over ``blur_pixels``."""
    noise = gaussian_blur(torch.randn(uptake.shape, generator=rng), blur_pixels)
    return noise / noise.std() * deviation * uptake.clamp_min(0).sqrt()
