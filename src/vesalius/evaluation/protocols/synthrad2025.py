"""Synthetic CT as SynthRAD 2025 judged it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.evaluation.protocols.protocol import Found, Measure, Pair, Protocol, measured
from vesalius.metrics.pixel import MAE, PSNR, UniformWindow
from vesalius.metrics.pixel.structural_similarity import K1, K2
from vesalius.metrics.pixel.window import averaged

LOW_HU, HIGH_HU = -1024.0, 3071.0
RANGE_HU = HIGH_HU - LOW_HU
#: Exponents of the scales, finest first (Wang et al. 2003).
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
#: Volumes are widened to this size along every axis, so that all scales exist.
LEAST_SIZE = 97
_WINDOW = UniformWindow(7)
_ERRORS = (MAE("HU"), PSNR(RANGE_HU, data_unit="HU", limits=(LOW_HU, HIGH_HU)))
_MS_SSIM = Measure(
    "ms_ssim", "pixel", "1", "up", "Wang et al., Asilomar 2003, doi:10.1109/ACSSC.2003.1292216"
)


@dataclass(frozen=True)
class SynthRAD2025(Protocol):
    """Synthetic CT: MAE, PSNR and MS-SSIM within the body mask."""

    name = "synthrad2025"
    citation = "Thummerer et al., SynthRAD2025, 2025, arXiv:2502.17609"
    unit = "HU"
    mask = "needed"
    dims = (3,)
    over = "patients"
    value_range = (LOW_HU, HIGH_HU)
    settings = (
        "in the mask; PSNR and MS-SSIM clipped to [-1024, 3071] HU, range 4095; MS-SSIM of 5 "
        "scales with a 7x7x7 uniform window, -1024 HU outside the mask, maps averaged over the mask"
    )
    remarks = (
        "MS-SSIM as the challenge's code has it: every scale weighs luminance too, exponents apply "
        "before averaging",
        "dose, gamma and the Dice of segmented organs are not measured",
    )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """MAE, PSNR, MS-SSIM."""
        return (*map(Measure.of, _ERRORS), _MS_SSIM)

    def values(self, pair: Pair) -> Found:
        """One value a patient."""
        return measured(_ERRORS, pair) | {
            "ms_ssim": (masked_ms_ssim(pair.predicted, pair.reference, pair.mask),)
        }


def masked_ms_ssim(predicted: Tensor, reference: Tensor, mask: Tensor | None) -> float:
    """MS-SSIM in the manner of the challenge, of volumes ``(1, 1, *space)`` in HU.

    Differs from :class:`~vesalius.metrics.pixel.ms_ssim.MSSSIM`: luminance counts at every scale,
    each voxel's similarity is raised to the scale's weight before the mean over the mask, and
    scales are sampled at every second voxel of a mean over two (zero before the first). NaN where a
    scale's mask is empty.
    """
    if mask is None:
        mask = torch.ones_like(reference, dtype=torch.bool)
    x, y = (_counted(images, mask) for images in (predicted, reference))
    x, y = _widened(x), _widened(y)
    inside = _widened(mask.to(torch.float64)) > 0
    value = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            x, y, inside = _halved(x), _halved(y), inside[..., ::2, ::2, ::2]
        similarity = _similarity(x, y).clamp(min=0) ** weight
        radius = _WINDOW.size // 2
        core = inside[..., radius:-radius, radius:-radius, radius:-radius]
        value *= float(similarity[core].mean().clamp(0, 1))
    return value


def _counted(images: Tensor, mask: Tensor) -> Tensor:
    """Clipped, counted from the lowest HU, and that outside the mask."""
    return torch.where(mask, images.clamp(LOW_HU, HIGH_HU) - LOW_HU, 0.0)


def _widened(volume: Tensor) -> Tensor:
    """Border voxels repeated up to the least size, the odd one behind."""
    pads = []
    for size in reversed(volume.shape[2:]):
        missing = max(0, LEAST_SIZE - size)
        pads += [missing // 2, missing - missing // 2]
    return functional.pad(volume, pads, mode="replicate") if any(pads) else volume


def _halved(volume: Tensor) -> Tensor:
    """Every second voxel of the mean with the voxel before, along each axis."""
    return functional.avg_pool3d(functional.pad(volume, [1, 0] * 3), 2)


def _similarity(x: Tensor, y: Tensor) -> Tensor:
    """Luminance, contrast and structure multiplied, each at least zero, where windows fit."""
    taps, axes = _WINDOW.taps(), (2, 3, 4)
    n = _WINDOW.size**3
    c1, c2 = (K1 * RANGE_HU) ** 2, (K2 * RANGE_HU) ** 2
    c3 = c2 / 2
    mean_x, mean_y = averaged(x, taps, axes), averaged(y, taps, axes)
    var_x = n / (n - 1) * (averaged(x * x, taps, axes) - mean_x**2)
    var_y = n / (n - 1) * (averaged(y * y, taps, axes) - mean_y**2)
    cov = n / (n - 1) * (averaged(x * y, taps, axes) - mean_x * mean_y)
    deviations = var_x.clamp(min=0).sqrt() * var_y.clamp(min=0).sqrt()
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    contrast = (2 * deviations + c2) / (var_x + var_y + c2)
    structure = (cov + c3) / (deviations + c3)
    return luminance.clamp(min=0) * contrast.clamp(min=0) * structure.clamp(min=0)


def synthrad2025() -> SynthRAD2025:
    """Synthetic CT: MAE, PSNR and MS-SSIM within the body mask, as SynthRAD 2025 has them."""
    return SynthRAD2025()
