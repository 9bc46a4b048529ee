"""Every pixel metric keeps the laws of a metric."""

from __future__ import annotations

import math

import pytest

from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import (
    MAE,
    MSE,
    MSSSIM,
    NCC,
    NMSE,
    PSNR,
    RMSE,
    SSIM,
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
    ],
    ids=str,
)
def test_laws(metric: CaseMetric, best: float, symmetric: bool, reach: int | None) -> None:
    check_case_metric(metric, best=best, symmetric=symmetric, reach=reach)
