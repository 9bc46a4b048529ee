"""Every pixel metric keeps the laws of a metric."""

from __future__ import annotations

import math

import pytest

from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import (
    FSIM,
    GMSD,
    HFEN,
    IWSSIM,
    MAE,
    MSE,
    MSSSIM,
    NCC,
    NMSE,
    PSNR,
    RMSE,
    SSIM,
    UQI,
    VIF,
    GaussianWindow,
    UniformWindow,
)
from vesalius.testing.check_metric import check_case_metric


@pytest.mark.parametrize(
    ("metric", "best", "symmetric", "reach"),
    [
        (MAE("HU"), 0.0, True, 0),
        (MAE("HU", limits=(200.0, 800.0)), 0.0, True, 0),
        (MSE("HU"), 0.0, True, 0),
        (RMSE("HU"), 0.0, True, 0),
        (NMSE(), 0.0, False, 0),
        (PSNR(1000.0), math.inf, True, 0),
        (PSNR("reference_maximum"), math.inf, False, 0),
        (NCC(), 1.0, True, 0),
        (SSIM(1000.0), 1.0, True, 3),
        (SSIM("reference_maximum", border="mirror"), 1.0, False, 3),
        (SSIM(1000.0, window=GaussianWindow()), 1.0, True, 5),
        (SSIM(1000.0, slice_axis=1), 1.0, True, 3),
        (SSIM(1000.0, limits=(0.0, 1000.0), blank_outside=True), 1.0, True, 0),
        (
            MSSSIM(1000.0, window=UniformWindow(5), weights=(0.4, 0.6)),
            1.0,
            True,
            None,
        ),
        (FSIM(1000.0), 1.0, True, None),
        (FSIM(1000.0, slice_axis=2, border="mirror"), 1.0, True, None),
        (VIF(1000.0, scales=2), 1.0, False, 3),
        (VIF("reference_maximum", scales=2, slice_axis=1), 1.0, False, 3),
        (UQI(), 1.0, True, 3),
        (UQI(border="mirror", limits=(0.0, 1000.0)), 1.0, True, 3),
        (GMSD(1000.0), 0.0, True, 3),
        (GMSD("reference_maximum", border="exclude"), 0.0, False, 3),
        (GMSD(1000.0, border="mirror", slice_axis=2), 0.0, True, 3),
        (HFEN(), 0.0, False, 7),
        (HFEN(slice_axis=0, limits=(0.0, 1000.0)), 0.0, False, 7),
        (IWSSIM(1000.0, window=UniformWindow(5), weights=(0.3, 0.7)), 1.0, False, None),
        (
            IWSSIM(1000.0, window=UniformWindow(3), weights=(0.3, 0.3, 0.4), slice_axis=0),
            1.0,
            False,
            None,
        ),
    ],
    ids=str,
)
def test_laws(metric: CaseMetric, best: float, symmetric: bool, reach: int | None) -> None:
    check_case_metric(metric, best=best, symmetric=symmetric, reach=reach)
