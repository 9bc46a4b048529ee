"""MS-SSIM against MONAI and its definition."""

from __future__ import annotations

import pytest
import torch
from skimage.metrics import structural_similarity

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import MSSSIM, SSIM, GaussianWindow, UniformWindow


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64)
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 0.3 * noise, reference


def monai(predicted: torch.Tensor, reference: torch.Tensor, **options: object) -> torch.Tensor:
    from monai.metrics.regression import MultiScaleSSIMMetric

    metric = MultiScaleSSIMMetric(spatial_dims=reference.ndim - 2, data_range=1.0, **options)
    return metric(predicted, reference)[:, 0].double()


def test_against_monai_2d() -> None:
    predicted, reference = pair(0, 181, 190)
    value = MSSSIM(1.0).statistic(predicted, reference)
    # MONAI computes in single precision
    assert torch.allclose(value, monai(predicted, reference), atol=2e-5)


def test_against_monai_3d_uniform() -> None:
    predicted, reference = pair(1, 30, 33, 28)
    window, weights = UniformWindow(7, sample_covariance=False), (0.2, 0.3, 0.5)
    value = MSSSIM(1.0, window=window, weights=weights).statistic(predicted, reference)
    wanted = monai(predicted, reference, kernel_type="uniform", kernel_size=7, weights=weights)
    assert torch.allclose(value, wanted, atol=2e-5)


def test_one_scale_is_ssim() -> None:
    predicted, reference = pair(2, 24, 24)
    one = MSSSIM(1.0, weights=(1.0,)).statistic(predicted, reference)
    assert torch.allclose(one, SSIM(1.0, window=GaussianWindow()).statistic(predicted, reference))


def test_a_scale_halves_by_block_means() -> None:
    # similarity to the power 0 counts for nothing, so almost all weight is on the coarse scale
    predicted, reference = pair(3, 40, 42)
    coarse = MSSSIM(1.0, window=UniformWindow(), weights=(1e-12, 1.0))
    value = coarse.statistic(predicted, reference)
    for case in range(2):
        x, y = (
            images[case, 0].reshape(20, 2, 21, 2).mean((1, 3)).numpy()
            for images in (predicted, reference)
        )
        assert value[case].item() == pytest.approx(
            structural_similarity(y, x, data_range=1.0), abs=1e-9
        )


def test_a_mask_restricts_every_scale() -> None:
    predicted, reference = pair(4, 96, 96)
    predicted[..., 48:] = 1 - reference[..., 48:]
    left = torch.zeros(2, 1, 96, 96, dtype=torch.bool)
    left[..., :32] = True
    metric = MSSSIM(1.0, window=UniformWindow(), weights=(0.5, 0.5))
    clean = predicted.clone()
    clean[..., 48:] = reference[..., 48:]
    masked = metric.statistic(predicted, reference, left)
    assert torch.allclose(masked, metric.statistic(clean, reference, left), atol=1e-12)
    assert bool((masked > metric.statistic(predicted, reference)).all())


def test_negative_similarity_counts_as_zero() -> None:
    _, reference = pair(5, 40, 40)
    value = MSSSIM(1.0, window=UniformWindow(), weights=(0.5, 0.5))
    assert value.statistic(1 - reference, reference).tolist() == [0.0, 0.0]


def test_too_small_for_the_scales() -> None:
    small = torch.zeros(1, 1, 64, 200)
    with pytest.raises(InputError, match=r"at least 176 voxels .* got 64x200; use fewer scales"):
        MSSSIM(1.0).statistic(small, small)
    assert MSSSIM(1.0).smallest_size == 176
    assert MSSSIM(1.0, window=UniformWindow(7)).smallest_size == 112


def test_the_smallest_size_is_enough() -> None:
    predicted, reference = pair(6, 176, 176)
    assert MSSSIM(1.0).statistic(predicted, reference).isfinite().all()


def test_weights_are_positive_and_there() -> None:
    with pytest.raises(InputError, match="at least one scale"):
        MSSSIM(1.0, weights=())
    with pytest.raises(InputError, match="weights"):
        MSSSIM(1.0, weights=(0.5, -0.5))
