"""The metrics of an image against its reference that need no more than a range of intensities."""

from __future__ import annotations

from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel.fsim import FSIM
from vesalius.metrics.pixel.gmsd import GMSD
from vesalius.metrics.pixel.hfen import HFEN
from vesalius.metrics.pixel.iw_ssim import IWSSIM
from vesalius.metrics.pixel.mae import MAE
from vesalius.metrics.pixel.ms_ssim import MSSSIM
from vesalius.metrics.pixel.mse import MSE
from vesalius.metrics.pixel.ncc import NCC
from vesalius.metrics.pixel.nmse import NMSE
from vesalius.metrics.pixel.psnr import PSNR
from vesalius.metrics.pixel.rmse import RMSE
from vesalius.metrics.pixel.ssim import SSIM
from vesalius.metrics.pixel.uqi import UQI
from vesalius.metrics.pixel.vif import VIF
from vesalius.metrics.pixel.window import UniformWindow

#: Voxels along every axis that the published scales of MS-SSIM need, the most of all.
LARGE = 176
THREE_SCALES = (0.3, 0.4, 0.3)


def pixel_metrics(
    limits: tuple[float, float], unit: str = "1", *, voxels: int
) -> tuple[CaseMetric, ...]:
    """All of them over ``limits`` (low, high), for images of ``voxels`` along the shortest axis.

    Below ``LARGE`` voxels MS-SSIM, IW-SSIM and VIF have three scales, and the first two small
    windows; from there on those that were published.
    """
    data_range = limits[1] - limits[0]
    small = voxels < LARGE
    scales = {"window": UniformWindow(), "weights": THREE_SCALES} if small else {}
    return (
        MAE(unit),
        MSE(unit),
        RMSE(unit),
        NMSE(),
        NCC(),
        PSNR(data_range, data_unit=unit),
        SSIM(data_range, data_unit=unit),
        MSSSIM(data_range, data_unit=unit, **scales),  # type: ignore[arg-type]
        IWSSIM(data_range, data_unit=unit, **scales),  # type: ignore[arg-type]
        UQI(data_unit=unit),
        FSIM(data_range, data_unit=unit, limits=limits),
        GMSD(data_range, data_unit=unit),
        VIF(data_range, data_unit=unit, scales=3 if small else 4),
        HFEN(data_unit=unit),
    )
