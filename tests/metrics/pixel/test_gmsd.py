"""GMSD against SciPy's Prewitt masks and a hand-worked value."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import prewitt
from skimage.measure import block_reduce

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import GMSD

MODES = {"zero": "constant", "mirror": "reflect", "exclude": "constant"}


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64)
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 0.2 * noise, reference


def similarities(x: NDArray[np.float64], y: NDArray[np.float64], mode: str) -> NDArray[np.float64]:
    steep = []
    for image in (255 * x, 255 * y):
        blocks = block_reduce(image, 2, np.mean)
        slopes = [
            prewitt(blocks, axis, mode=mode) / 3 ** (image.ndim - 1) for axis in range(image.ndim)
        ]
        steep.append(np.sqrt(sum(slope**2 for slope in slopes)))
    return (2 * steep[0] * steep[1] + 170) / (steep[0] ** 2 + steep[1] ** 2 + 170)


@pytest.mark.parametrize("border", ["zero", "mirror", "exclude"])
@pytest.mark.parametrize("space", [(22, 30), (12, 16, 14)])
def test_against_scipy(space: tuple[int, ...], border: str) -> None:
    predicted, reference = pair(0, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(1)) < 0.1
    metric = GMSD(1.0, border=border)
    free, masked = (metric.statistic(predicted, reference, where) for where in (None, mask))
    inner = (slice(1, -1) if border == "exclude" else slice(None),) * len(space)
    for case in range(2):
        x, y = (images[case, 0].numpy() for images in (predicted, reference))
        wanted = similarities(x, y, MODES[border])[inner]
        blocks = block_reduce(mask[case, 0].numpy(), 2, np.max)[inner]
        assert free[case].item() == pytest.approx(wanted.std(), rel=1e-9)
        assert masked[case].item() == pytest.approx(wanted[blocks].std(), rel=1e-9)


def test_slices_share_one_deviation() -> None:
    predicted, reference = pair(2, 12, 5, 14)
    found = GMSD(1.0, slice_axis=1).statistic(predicted, reference)
    for case in range(2):
        x, y = (images[case, 0].numpy() for images in (predicted, reference))
        maps = [similarities(x[:, k], y[:, k], "constant") for k in range(5)]
        assert found[case].item() == pytest.approx(np.stack(maps).std(), rel=1e-9)


def test_half_a_ramp_by_hand() -> None:
    # blocks of 2: slopes of 4 a voxel are 8 a block, over two blocks 16; flat half against ramp
    ramp = (4 * torch.arange(32.0)).expand(1, 1, 16, 32)
    predicted = torch.where(torch.arange(32) < 16, ramp, 60.0)
    left, right = torch.zeros(2, 1, 1, 16, 32, dtype=torch.bool)
    left[..., 4:12, 4:12], right[..., 4:12, 20:28] = True, True
    metric = GMSD(255.0)
    for where in (left, right):
        assert metric.statistic(predicted, ramp, where).item() == pytest.approx(0.0, abs=1e-12)
    both = metric.statistic(predicted, ramp, left | right).item()
    assert both == pytest.approx((1 - 170 / (16**2 + 170)) / 2, rel=1e-12)


def test_an_odd_last_voxel_is_left_out() -> None:
    predicted, reference = pair(3, 21, 23)
    whole = GMSD(1.0).statistic(predicted, reference)
    assert torch.allclose(whole, GMSD(1.0).statistic(predicted[..., :20, :22],
                                                     reference[..., :20, :22]))  # fmt: skip


def test_small_and_flat_images() -> None:
    flat = torch.full((2, 1, 8, 8), 0.1)
    assert GMSD(1.0, border="mirror").statistic(flat, 3 * flat).tolist() == [0.0, 0.0]
    with pytest.raises(InputError, match="at least 6 voxels"):
        GMSD(1.0).statistic(flat[..., :5], flat[..., :5])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_scale_and_bounds(seed: int, scale: float) -> None:
    predicted, reference = pair(seed, 12, 14)
    value = GMSD(1.0).statistic(predicted, reference)
    scaled = GMSD(scale).statistic(scale * predicted, scale * reference)
    assert torch.allclose(value, scaled, rtol=1e-8)
    assert bool(((value >= 0) & (value <= 0.5)).all())
