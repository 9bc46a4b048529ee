"""From tissue fractions to CT images in Hounsfield units."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.anatomy.blur import gaussian_blur
from vesalius.anatomy.tissue import Tissue

#: Attenuation in HU at 120 kV, without contrast agent (typical of radiology textbooks).
ATTENUATION_HU: dict[Tissue, float] = {
    Tissue.AIR: -1000.0,
    Tissue.SOFT_TISSUE: 50.0,
    Tissue.FAT: -90.0,
    Tissue.CORTICAL_BONE: 1250.0,
    Tissue.MARROW: 420.0,
    Tissue.CEREBROSPINAL_FLUID: 8.0,
    Tissue.VENTRICLE: 6.0,
    Tissue.GREY_MATTER: 38.0,
    Tissue.WHITE_MATTER: 29.0,
    Tissue.CAUDATE: 38.0,
    Tissue.PUTAMEN: 38.0,
    Tissue.PALLIDUM: 40.0,
    Tissue.THALAMUS: 36.0,
    Tissue.VITREOUS: 8.0,
    Tissue.WHITE_MATTER_LESION: 22.0,
    Tissue.OEDEMA: 19.0,
    Tissue.TUMOUR: 36.0,
    Tissue.NECROSIS: 15.0,
}


def attenuation_hu(fractions: Tensor) -> Tensor:
    """Mean attenuation ``(n,)`` in HU of tissue fractions ``(len(Tissue), n)``."""
    return torch.tensor([ATTENUATION_HU[tissue] for tissue in Tissue]) @ fractions


def kernel_noise(
    shape: tuple[int, ...],
    deviation_hu: float,
    blur_pixels: tuple[float, ...],
    rng: torch.Generator,
) -> Tensor:
    """Noise of standard deviation ``deviation_hu`` with the texture of a reconstruction kernel.

    White noise less its own blur: a band-pass spectrum that vanishes at zero frequency, as that of
    filtered backprojection does.
    """
    white = torch.randn(shape, generator=rng)
    wide = tuple(3 * deviation for deviation in blur_pixels)
    noise = gaussian_blur(white, blur_pixels) - gaussian_blur(white, wide)
    return noise * (deviation_hu / noise.std())
