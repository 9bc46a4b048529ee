"""UQI against torchmetrics, its definition on every window, and hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.image import universal_image_quality_index

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import SSIM, UQI, GaussianWindow, UniformWindow


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64) * 900 + 50
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 200 * noise, reference


def test_against_torchmetrics() -> None:
    predicted, reference = pair(0, 25, 29)
    found = UQI(window=GaussianWindow()).statistic(predicted, reference)
    for case in range(2):
        wanted = universal_image_quality_index(
            predicted[case : case + 1], reference[case : case + 1]
        )
        assert found[case].item() == pytest.approx(wanted.item(), rel=1e-9)


@pytest.mark.parametrize("space", [(13, 15), (8, 10, 9)])
def test_against_every_window_in_turn(space: tuple[int, ...]) -> None:
    predicted, reference = pair(1, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(2)) < 0.5
    found = UQI(window=UniformWindow(5)).statistic(predicted, reference, mask)
    inner = (slice(2, -2),) * len(space)
    last = tuple(range(-len(space), 0))
    for case in range(2):
        x, y = (
            np.lib.stride_tricks.sliding_window_view(images[case, 0].numpy(), (5,) * len(space))
            for images in (predicted, reference)
        )
        mean_x, mean_y = x.mean(last), y.mean(last)
        covariance = (x * y).mean(last) - mean_x * mean_y
        index = 4 * covariance * mean_x * mean_y
        index /= (x.var(last) + y.var(last)) * (mean_x**2 + mean_y**2)
        wanted = index[mask[case, 0].numpy()[inner]].mean()
        assert found[case].item() == pytest.approx(wanted, rel=1e-9)


def test_it_is_ssim_of_an_endless_small_range() -> None:
    predicted, reference = pair(3, 20, 20)
    index = UQI().statistic(predicted, reference)
    assert torch.allclose(index, SSIM(1e-6).statistic(predicted, reference), atol=1e-9)


def test_constants_and_zeros() -> None:
    two, one, zero = (torch.full((1, 1, 9, 9), value) for value in (0.2, 0.1, 0.0))
    luminance = 2 * 0.2 * 0.1 / (0.2**2 + 0.1**2)
    assert UQI().statistic(two, one).item() == pytest.approx(luminance, rel=1e-6)
    assert UQI().statistic(one, one).item() == 1.0
    assert UQI().statistic(zero, zero).item() == 1.0
    assert UQI().statistic(one, zero).item() == 0.0
    ramp = torch.arange(-4.0, 5.0).expand(1, 1, 9, 9)  # the middle window has a mean of zero
    only_middle = torch.zeros(1, 1, 9, 9, dtype=torch.bool)
    only_middle[..., 4, 4] = True
    assert UQI().statistic(ramp, ramp, only_middle).item() == pytest.approx(1.0)
    assert UQI().statistic(-ramp, ramp, only_middle).item() == pytest.approx(-1.0)


def test_rounding_is_no_variance() -> None:
    # a mean of squares less the square of a mean is not zero for these
    for level in (0.1, 1 / 3, 0.7, 123.456, -1024.1):
        one = torch.full((1, 1, 9, 9), level, dtype=torch.float64)
        for other in (one, 2 * one, one + 0.3):
            found = UQI(window=GaussianWindow(size=9)).statistic(one, other).item()
            a, b = level, other[0, 0, 0, 0].item()
            assert found == pytest.approx(2 * a * b / (a * a + b * b), rel=1e-9)


def test_signed_and_slices() -> None:
    predicted, reference = pair(4, 9, 12, 11)
    limited = UQI(data_unit="HU", limits=(-1000.0, 900.0)).statistic(
        predicted - 1000, reference - 1000
    )
    clipped = UQI().statistic(predicted.clamp(0, 1900), reference.clamp(0, 1900))
    assert torch.allclose(limited, clipped, atol=1e-9)
    slices = UQI(slice_axis=2).statistic(predicted, reference)
    each = [UQI().statistic(predicted[..., k], reference[..., k]) for k in range(11)]
    assert torch.allclose(slices, torch.stack(each).mean(0), rtol=1e-12)
    with pytest.raises(InputError, match="at least 7 voxels"):
        UQI().statistic(predicted[:, :, :5], reference[:, :, :5])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_scale_and_bounds(seed: int, scale: float) -> None:
    predicted, reference = pair(seed, 10, 9)
    value = UQI().statistic(predicted, reference)
    assert torch.allclose(value, UQI().statistic(scale * predicted, scale * reference), rtol=1e-8)
    assert bool((value.abs() <= 1).all())
