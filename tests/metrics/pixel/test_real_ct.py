"""A real head CT in HU, degraded: all pixel metrics see it, and SSIM is scikit-image's."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from vesalius.metrics.pixel import MSSSIM, NCC, SSIM, UniformWindow, synthrad_like

DATA = Path(os.environ.get("VESALIUS_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
CT = DATA / "ct_head" / "head_ct_hu.nii.gz"


def test_a_real_head_gets_worse_with_dose() -> None:
    if not CT.is_file():
        pytest.skip(f"needs the real head CT {CT} (set VESALIUS_TEST_DATA)")
    import nibabel

    volume = np.asarray(nibabel.load(CT).dataobj[40:216, 40:216, 48:64], dtype=np.float64)
    reference = torch.from_numpy(volume).movedim(2, 0)[None, None]
    noise = torch.randn(
        reference.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    little, much = reference + 15 * noise, reference + 60 * noise
    body = reference > -500
    for metric in (*synthrad_like(-1024, 3000, "HU"), NCC()):
        fine, coarse = (metric.statistic(x, reference, body).item() for x in (little, much))
        assert (fine < coarse) if metric.direction == "down" else (fine > coarse), metric.name
    mae = synthrad_like(-1024, 3000, "HU")[0].statistic(little, reference, body).item()
    assert mae == pytest.approx(15 * math.sqrt(2 / math.pi), rel=0.02)
    wanted = structural_similarity(reference[0, 0].numpy(), much[0, 0].numpy(), data_range=4024.0)
    assert SSIM(4024.0).statistic(much, reference).item() == pytest.approx(wanted, abs=1e-9)
    slices = MSSSIM(4024.0, window=UniformWindow()).statistic(
        much[0, 0, :4, None], reference[0, 0, :4, None]
    )
    assert bool(((slices > 0.5) & (slices < 1)).all())
