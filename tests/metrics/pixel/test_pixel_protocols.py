"""The named protocols, against their definitions written out with scikit-image and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vesalius.metrics import title
from vesalius.metrics.pixel import MAE, MSSSIM, PSNR, SSIM, UniformWindow, fastmri, synthrad_like


def test_fastmri_on_a_volume() -> None:
    generator = torch.Generator().manual_seed(0)
    reference = torch.rand(1, 1, 4, 24, 20, generator=generator) * 3e-4
    predicted = reference + 3e-5 * torch.randn(reference.shape, generator=generator)
    x, y = (images[0, 0].double().numpy() for images in (predicted, reference))
    wanted = {
        "nmse": np.linalg.norm(y - x) ** 2 / np.linalg.norm(y) ** 2,
        "psnr": peak_signal_noise_ratio(y, x, data_range=y.max()),
        "ssim": np.mean(
            [structural_similarity(b, a, data_range=y.max()) for a, b in zip(x, y, strict=True)]
        ),
    }
    found = {metric.name: metric.statistic(predicted, reference).item() for metric in fastmri()}
    assert found == pytest.approx(wanted, rel=1e-9)


def test_fastmri_with_slices_last() -> None:
    generator = torch.Generator().manual_seed(1)
    reference = torch.rand(1, 1, 4, 24, 20, generator=generator)
    predicted = reference + 0.1 * torch.randn(reference.shape, generator=generator)
    first = [metric.statistic(predicted, reference) for metric in fastmri()]
    last = [
        metric.statistic(predicted.movedim(2, 4), reference.movedim(2, 4))
        for metric in fastmri(slice_axis=2)
    ]
    assert torch.allclose(torch.cat(first), torch.cat(last))


def test_synthrad_like_on_a_volume() -> None:
    generator = torch.Generator().manual_seed(2)
    reference = torch.rand(1, 1, 14, 20, 18, generator=generator, dtype=torch.float64) * 5000 - 1500
    predicted = reference + 300 * torch.randn(reference.shape, generator=generator)
    mask = torch.zeros(1, 1, 14, 20, 18, dtype=torch.bool)
    mask[..., 2:12, 4:18, 1:15] = True
    x, y, m = predicted[0, 0].numpy(), reference[0, 0].numpy(), mask[0, 0].numpy()
    cx, cy = np.clip(x, -1024, 3000), np.clip(y, -1024, 3000)
    blank_x, blank_y = np.where(m, cx, -1024) + 1024, np.where(m, cy, -1024) + 1024
    _, full = structural_similarity(blank_y, blank_x, data_range=4024, full=True)
    wanted = {
        "mae": np.abs(x - y)[m].mean(),
        "psnr": 10 * np.log10(4024**2 / ((cx - cy)[m] ** 2).mean()),
        "ssim": full[3:-3, 3:-3, 3:-3][m[3:-3, 3:-3, 3:-3]].mean(),
    }
    found = {
        metric.name: metric.statistic(predicted, reference, mask).item()
        for metric in synthrad_like(-1024, 3000, "HU")
    }
    assert found == pytest.approx(wanted, rel=1e-9)


def test_titles_say_what_the_number_depends_on() -> None:
    assert title(PSNR(4024, data_unit="HU")) == "PSNR (data_range 4024 HU)"
    assert title(PSNR("reference_maximum")) == "PSNR (data_range reference maximum)"
    assert title(MAE("HU")) == "MAE"
    assert title(MAE("HU", limits=(-160, 240))) == "MAE (limits [-160, 240] HU)"
    assert title(MSSSIM(1.0)) == "MS-SSIM (data_range 1)"
    small = SSIM(1.0, window=UniformWindow(5))
    assert (
        title(small) == "SSIM (data_range 1, window UniformWindow(size=5, sample_covariance=True))"
    )
    assert small.parameters["window"] == {
        "kind": "UniformWindow", "size": 5, "sample_covariance": True,
    }  # fmt: skip
