"""SSIM against scikit-image and hand-worked values."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import SSIM, GaussianWindow, UniformWindow

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
SETTINGS = [
    (UniformWindow(), {}),
    (UniformWindow(5, sample_covariance=False), {"win_size": 5, "use_sample_covariance": False}),
    (GaussianWindow(), GAUSSIAN),
]


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64) * 3000 - 1000
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 400 * noise, reference


@pytest.mark.parametrize(("window", "options"), SETTINGS, ids=str)
@pytest.mark.parametrize("space", [(23, 31), (13, 17, 15)])
def test_against_scikit_image(
    window: UniformWindow, options: dict[str, object], space: tuple[int, ...]
) -> None:
    predicted, reference = pair(0, *space)
    inner = SSIM(4024.0, window=window).statistic(predicted, reference)
    whole = SSIM(4024.0, window=window, border="mirror").statistic(predicted, reference)
    for case in range(2):
        mean, full = structural_similarity(
            reference[case, 0].numpy(), predicted[case, 0].numpy(),
            data_range=4024.0, full=True, **options,
        )  # fmt: skip
        assert inner[case].item() == pytest.approx(mean, abs=1e-10)
        assert whole[case].item() == pytest.approx(full.mean(), abs=1e-10)


@pytest.mark.parametrize("space", [(23, 31), (13, 17, 15)])
def test_the_map_is_averaged_over_the_mask(space: tuple[int, ...]) -> None:
    predicted, reference = pair(1, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(2)) < 0.3
    inner = SSIM(4024.0).statistic(predicted, reference, mask)
    whole = SSIM(4024.0, border="mirror").statistic(predicted, reference, mask)
    for case in range(2):
        _, full = structural_similarity(
            reference[case, 0].numpy(), predicted[case, 0].numpy(), data_range=4024.0, full=True
        )
        within = mask[case, 0].numpy()
        crop = (slice(3, -3),) * len(space)
        assert whole[case].item() == pytest.approx(full[within].mean(), abs=1e-10)
        assert inner[case].item() == pytest.approx(full[crop][within[crop]].mean(), abs=1e-10)


def test_channels_are_averaged() -> None:
    predicted, reference = pair(3, 20, 20)
    both = SSIM(4024.0).statistic(predicted.transpose(0, 1), reference.transpose(0, 1))
    each = SSIM(4024.0).statistic(predicted, reference)
    assert both.item() == pytest.approx(each.mean().item(), abs=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_share_the_range_of_their_volume(axis: int) -> None:
    predicted, reference = pair(4, 9, 11, 10)
    predicted, reference = predicted + 2000, reference + 2000
    value = SSIM("reference_maximum", slice_axis=axis).statistic(predicted, reference)
    for case in range(2):
        x, y = (images[case, 0].movedim(axis, 0).numpy() for images in (predicted, reference))
        slices = [
            structural_similarity(b, a, data_range=y.max()) for a, b in zip(x, y, strict=True)
        ]
        assert value[case].item() == pytest.approx(sum(slices) / len(slices), abs=1e-10)


def test_two_constants_by_hand() -> None:
    # without variance only luminance is left: (2 a b + c1) / (a² + b² + c1)
    a, b, c1 = 100.0, 50.0, (0.01 * 255) ** 2
    value = SSIM(255.0).statistic(torch.full((1, 1, 9, 9), a), torch.full((1, 1, 9, 9), b))
    assert value.item() == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), abs=1e-9)
    constant = torch.full((1, 1, 9, 9), 0.1)
    assert SSIM(1.0).statistic(constant, constant).item() == 1.0


def test_a_range_that_cannot_be_told_gives_nan() -> None:
    zero = torch.zeros(1, 1, 9, 9)
    assert math.isnan(SSIM("reference_maximum").statistic(zero, zero).item())


def test_limits_count_from_the_lower_one() -> None:
    predicted, reference = pair(5, 16, 16)
    limited = SSIM(4024.0, limits=(-1024.0, 3000.0)).statistic(predicted, reference)
    x, y = (images.clamp(-1024, 3000) + 1024 for images in (predicted, reference))
    assert torch.allclose(limited, SSIM(4024.0).statistic(x, y), atol=1e-12)
    assert not torch.allclose(limited, SSIM(4024.0).statistic(predicted, reference), atol=1e-4)


def test_blank_outside_hides_what_lies_there() -> None:
    predicted, reference = pair(6, 16, 16)
    mask = torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    mask[..., 5:11, 4:12] = True
    metric = SSIM(4024.0, limits=(-1024.0, 3000.0), blank_outside=True)
    spoiled = torch.where(mask, predicted, predicted - 700)
    value = metric.statistic(predicted, reference, mask)
    assert torch.equal(metric.statistic(spoiled, reference, mask), value)
    with pytest.raises(InputError, match="limits"):
        SSIM(4024.0, blank_outside=True)


def test_a_mask_in_the_border_alone_gives_nan() -> None:
    predicted, reference = pair(7, 16, 16)
    mask = torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    mask[..., :3, :] = True
    assert SSIM(4024.0).statistic(predicted, reference, mask).isnan().all()
    mirrored = SSIM(4024.0, border="mirror").statistic(predicted, reference, mask)
    assert mirrored.isfinite().all()


def test_an_image_smaller_than_the_window_is_refused() -> None:
    small = torch.zeros(1, 1, 6, 20)
    with pytest.raises(InputError, match="at least 7 voxels along every axis"):
        SSIM(1.0).statistic(small, small)
    tiny = torch.rand(1, 1, 2, 3, generator=torch.Generator().manual_seed(0))
    assert SSIM(1.0, border="mirror").statistic(tiny, tiny).item() == 1.0


@pytest.mark.parametrize("wrong", [2, 1, 6])
def test_a_window_is_odd(wrong: int) -> None:
    with pytest.raises(InputError, match="odd"):
        UniformWindow(wrong)
    with pytest.raises(InputError, match="odd"):
        GaussianWindow(size=wrong)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_scale_and_bounds(seed: int, scale: float) -> None:
    predicted, reference = pair(seed, 9, 10)
    value = SSIM(4024.0).statistic(predicted, reference)
    scaled = SSIM(4024.0 * scale).statistic(scale * predicted, scale * reference)
    assert torch.allclose(value, scaled, atol=1e-9)
    assert bool((value <= 1).all())
    assert bool((value >= -1).all())
