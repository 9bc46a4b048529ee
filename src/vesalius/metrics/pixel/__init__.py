"""Metrics of one image against its reference, voxel by voxel or window by window."""

from vesalius.metrics.pixel.caci import CACI
from vesalius.metrics.pixel.fsim import FSIM
from vesalius.metrics.pixel.gmsd import GMSD
from vesalius.metrics.pixel.hfen import HFEN
from vesalius.metrics.pixel.iw_ssim import IWSSIM
from vesalius.metrics.pixel.lesion_metric import LesionMetric
from vesalius.metrics.pixel.mae import MAE
from vesalius.metrics.pixel.ms_ssim import MSSSIM
from vesalius.metrics.pixel.mse import MSE
from vesalius.metrics.pixel.ncc import NCC
from vesalius.metrics.pixel.nmse import NMSE
from vesalius.metrics.pixel.over_range import pixel_metrics
from vesalius.metrics.pixel.protocols import fastmri, synthrad_like
from vesalius.metrics.pixel.psnr import PSNR
from vesalius.metrics.pixel.rmse import RMSE
from vesalius.metrics.pixel.ssim import SSIM
from vesalius.metrics.pixel.uqi import UQI
from vesalius.metrics.pixel.vif import VIF
from vesalius.metrics.pixel.window import GaussianWindow, UniformWindow

__all__ = [
    "CACI",
    "FSIM",
    "GMSD",
    "HFEN",
    "IWSSIM",
    "MAE",
    "MSE",
    "MSSSIM",
    "NCC",
    "NMSE",
    "PSNR",
    "RMSE",
    "SSIM",
    "UQI",
    "VIF",
    "GaussianWindow",
    "LesionMetric",
    "UniformWindow",
    "fastmri",
    "pixel_metrics",
    "synthrad_like",
]
