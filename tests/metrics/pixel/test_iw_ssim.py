"""IW-SSIM against its definition in NumPy, voxel by voxel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from skimage.metrics import structural_similarity

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import IWSSIM, MSSSIM, SSIM, GaussianWindow, UniformWindow
from vesalius.metrics.pixel.laplacian_pyramid import laplacian_pyramid

Array = NDArray[np.float64]
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16 * np.sqrt(2)


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64)
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 0.1 * noise, reference


def pyramid(image: Array, levels: int) -> list[Array]:
    """By filtering and leaving out; scipy's "mirror" does not repeat the edge."""
    bands = []
    for _ in range(levels - 1):
        coarse = image
        for axis in range(image.ndim):
            coarse = correlate1d(coarse, BINOMIAL, axis=axis, mode="mirror")
            coarse = np.take(coarse, range(0, coarse.shape[axis], 2), axis)
        back = coarse
        for axis, size in enumerate(image.shape):
            spread = np.zeros(tuple(2 * n if k == axis else n for k, n in enumerate(back.shape)))
            np.moveaxis(spread, axis, 0)[::2] = np.moveaxis(back, axis, 0)
            back = correlate1d(spread, BINOMIAL, axis=axis, mode="mirror")
            back = np.take(back, range(size), axis)
        bands.append(image - back)
        image = coarse
    return [*bands, image]


def enlarged(image: Array, space: tuple[int, ...]) -> Array:
    for axis, size in enumerate(space):
        n = image.shape[axis]
        places = (np.arange(4 * n - 3) + 0.5) * n / (4 * n - 3) - 0.5

        def along(line: Array, places: Array = places, n: int = n) -> Array:
            fine = np.interp(places, np.arange(n), line)
            return np.r_[2 * fine[0] - fine[1], fine, 2 * fine[-1] - fine[-2]][::2]

        image = np.take(np.apply_along_axis(along, axis, image), range(size), axis)
    return image


def bits(x: Array, y: Array, parent: Array | None) -> Array:
    inner = tuple(n - 2 for n in y.shape)
    rows, gains, rests = [], [], []
    for place in itertools.product(*map(range, inner)):
        block = tuple(slice(k, k + 3) for k in place)
        a, b = x[block].ravel(), y[block].ravel()
        covariance = (a * b).mean() - a.mean() * b.mean()
        gains.append(covariance / b.var())
        rests.append(a.var() - gains[-1] * covariance)
        middle = [] if parent is None else [parent[tuple(k + 1 for k in place)]]
        rows.append([*b, *middle])
    around = np.array(rows)
    second = around.T @ around / len(around)
    share = np.einsum("ij,jk,ik->i", around, np.linalg.inv(second), around) / around.shape[1]
    found = np.zeros(len(rows))
    for variance in np.linalg.eigvalsh(second):
        spread = (np.array(rests) + (1 + np.array(gains) ** 2) * 0.4) * share * variance
        found += np.log2(1 + (spread + 0.4 * np.array(rests)) / 0.4**2)
    return found.reshape(inner)


def by_definition(x: Array, y: Array, mask: Array, weights: tuple[float, ...]) -> float:
    bands_x, bands_y = pyramid(255 * x, len(weights)), pyramid(255 * y, len(weights))
    value = 1.0
    for scale, weight in enumerate(weights):
        a, b = bands_x[scale], bands_y[scale]
        axes = range(a.ndim)
        taps = np.full(5, 0.2)

        def mean(image: Array, taps: Array = taps, axes: range = axes) -> Array:
            for axis in axes:
                image = correlate1d(image, taps, axis=axis)
            return image[(slice(2, -2),) * image.ndim]

        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        n = 5**a.ndim / (5**a.ndim - 1)
        covariance = n * (mean(a * b) - mean(a) * mean(b))
        variances = n * (mean(a * a) - mean(a) ** 2 + mean(b * b) - mean(b) ** 2)
        similar = (2 * covariance + c2) / (variances + c2)
        within = mask[(slice(2, -2),) * a.ndim]
        if scale == len(weights) - 1:
            similar *= (2 * mean(a) * mean(b) + c1) / (mean(a) ** 2 + mean(b) ** 2 + c1)
            average = similar[within].mean()
        else:
            parent = None
            if scale < len(weights) - 2:
                parent = enlarged(bands_y[scale + 1], b.shape)
            information = bits(a, b, parent)[(slice(1, -1),) * a.ndim][within]
            average = (similar[within] * information).sum() / information.sum()
        value *= average ** (weight / sum(weights))
        mask = mask[(slice(None, None, 2),) * a.ndim]
    return value


@pytest.mark.parametrize(
    ("space", "weights"), [((24, 29), (0.2, 0.3, 0.4)), ((11, 10, 12), (0.4, 0.6))]
)
def test_against_its_definition_in_a_mask(
    space: tuple[int, ...], weights: tuple[float, ...]
) -> None:
    predicted, reference = pair(0, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(1)) < 0.6
    metric = IWSSIM(1.0, window=UniformWindow(5), weights=weights)
    found = metric.statistic(predicted, reference, mask)
    for case in range(2):
        x, y, within = (z[case, 0].numpy() for z in (predicted, reference, mask))
        assert found[case].item() == pytest.approx(by_definition(x, y, within, weights), rel=1e-8)


def test_three_scales_of_a_volume() -> None:
    predicted, reference = (images[:1] for images in pair(1, 17, 18, 17))
    found = IWSSIM(1.0, window=UniformWindow(5), weights=(1.0, 1.0, 1.0)).statistic(
        predicted, reference
    )
    x, y = predicted[0, 0].numpy(), reference[0, 0].numpy()
    wanted = by_definition(x, y, np.ones(x.shape, dtype=bool), (1.0, 1.0, 1.0))
    assert found.item() == pytest.approx(wanted, rel=1e-8)


def test_bands_add_up_again() -> None:
    image = torch.rand(1, 1, 19, 22, generator=torch.Generator().manual_seed(0)).double()
    bands = laplacian_pyramid(image, 3, (2, 3))
    assert [tuple(band.shape[2:]) for band in bands] == [(19, 22), (10, 11), (5, 6)]
    raised = laplacian_pyramid(image + 7, 3, (2, 3))
    for band, other in zip(bands[:-1], raised[:-1], strict=True):
        assert torch.allclose(band, other, atol=1e-12)
    # two halvings in two directions: a level is four times as large
    assert torch.allclose(raised[-1], bands[-1] + 7 * 4, atol=1e-12)


def test_one_scale_is_ssim() -> None:
    predicted, reference = pair(2, 24, 20)
    one = IWSSIM(1.0, weights=(0.5,)).statistic(predicted, reference)
    assert torch.allclose(one, SSIM(1.0, window=GaussianWindow()).statistic(predicted, reference))
    wanted = structural_similarity(
        reference[0, 0].numpy(), predicted[0, 0].numpy(), data_range=1.0, gaussian_weights=True,
        sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert one[0].item() == pytest.approx(wanted, abs=1e-10)


def test_places_of_information_count_more() -> None:
    # damage where the reference has texture against the same damage in a flat half
    generator = torch.Generator().manual_seed(3)
    reference = torch.full((1, 1, 48, 96), 0.5, dtype=torch.float64)
    reference[..., :48] = torch.rand(48, 48, generator=generator, dtype=torch.float64)
    noise = 0.1 * torch.randn(48, 48, generator=generator, dtype=torch.float64)
    on_texture, on_flat = reference.clone(), reference.clone()
    on_texture[..., :48] += noise
    on_flat[..., 48:] += noise
    options = {"window": UniformWindow(5), "weights": (0.5, 0.5)}
    plain, informed = MSSSIM(1.0, **options), IWSSIM(1.0, **options)
    gap = {
        metric.name: (
            metric.statistic(on_texture, reference) - metric.statistic(on_flat, reference)
        )
        for metric in (plain, informed)
    }
    assert gap["iw_ssim"].item() < gap["ms_ssim"].item() - 0.05


def test_slices_have_neighbourhoods_of_their_own() -> None:
    predicted, reference = pair(4, 1, 20, 22)
    metric = IWSSIM(1.0, window=UniformWindow(3), weights=(0.3, 0.3, 0.4), slice_axis=0)
    image = IWSSIM(1.0, window=UniformWindow(3), weights=(0.3, 0.3, 0.4))
    wanted = image.statistic(predicted[:, :, 0], reference[:, :, 0])
    assert torch.allclose(metric.statistic(predicted, reference), wanted, rtol=1e-12)
    twice = [images.expand(-1, -1, 2, -1, -1) for images in (predicted, reference)]
    assert torch.allclose(metric.statistic(*twice), wanted, rtol=1e-12)
    turned = IWSSIM(1.0, window=UniformWindow(3), weights=(0.3, 0.3, 0.4), slice_axis=2)
    moved = [images.movedim(2, 4) for images in (predicted, reference)]
    assert torch.allclose(turned.statistic(*moved), wanted, rtol=1e-12)


def test_flat_opposite_and_small_images() -> None:
    _, reference = pair(5, 24, 24)
    metric = IWSSIM(1.0, window=UniformWindow(5), weights=(0.5, 0.5))
    flat = torch.full_like(reference, 0.1)
    assert metric.statistic(flat, flat).isnan().all()
    assert metric.statistic(1 - reference, reference).tolist() == [0.0, 0.0]
    zero = torch.zeros_like(reference)
    unknown = IWSSIM("reference_maximum", window=UniformWindow(5), weights=(0.5, 0.5))
    assert unknown.statistic(reference, zero).isnan().all()
    assert IWSSIM(1.0).smallest_size == 161
    with pytest.raises(InputError, match="at least 161 voxels"):
        IWSSIM(1.0).statistic(reference, reference)
    with pytest.raises(InputError, match="at least one scale"):
        IWSSIM(1.0, weights=())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.1, 100))
def test_scale_and_bounds(seed: int, scale: float) -> None:
    predicted, reference = pair(seed, 18, 20)
    options = {"window": UniformWindow(3), "weights": (0.3, 0.3, 0.4)}
    value = IWSSIM(1.0, **options).statistic(predicted, reference)
    scaled = IWSSIM(scale, **options).statistic(scale * predicted, scale * reference)
    assert torch.allclose(value, scaled, rtol=1e-6)
    assert bool(((value >= 0) & (value <= 1)).all())
