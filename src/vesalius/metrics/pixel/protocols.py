"""Published protocols by name: a number is comparable only under one of them."""

from __future__ import annotations

from typing import Literal

from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.mae import MAE
from vesalius.metrics.pixel.nmse import NMSE
from vesalius.metrics.pixel.psnr import PSNR
from vesalius.metrics.pixel.ssim import SSIM


def fastmri(slice_axis: Literal[0, 1, 2] = 0) -> tuple[CaseMetric, ...]:
    """NMSE, PSNR and SSIM of magnitude images as fastMRI defines them.

    A case is a volume, ``(1, slice, row, column)`` or with its slices along ``slice_axis``, centre
    cropped to the target's size, without a mask. PSNR and SSIM are relative to the volume's
    maximum; SSIM is that of slices with a uniform 7x7 window, averaged over them.

    Reference: Zbontar et al., fastMRI, 2018, arXiv:1811.08839, section 5.
    """
    return (
        NMSE(),
        PSNR("reference_maximum"),
        SSIM("reference_maximum", slice_axis=slice_axis),
    )


def synthrad_like(low: float, high: float, unit: str) -> tuple[CaseMetric, ...]:
    """MAE, PSNR and SSIM in the mask, in the manner of SynthRAD 2023.

    MAE is of the images as they are; PSNR and SSIM after clipping to [``low``, ``high``], with the
    width of that as data range. For SSIM values count from ``low``, the outside of the mask is set
    to ``low``, and the map (uniform 7-voxel window over every axis) is averaged over the mask
    without the image's border of 3 voxels. SynthRAD 2023 itself: ``synthrad_like(-1024, 3000,
    "HU")`` on volumes; on slices it is only like it.

    Reference: Huijben et al., Med Image Anal 97:103276, 2024, doi:10.1016/j.media.2024.103276.
    """
    limits = (low, high)
    return (
        MAE(unit),
        PSNR(high - low, data_unit=unit, limits=limits),
        SSIM(high - low, data_unit=unit, limits=limits, blank_outside=True),
    )
