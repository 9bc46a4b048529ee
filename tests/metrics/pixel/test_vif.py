"""VIF against torchmetrics, SciPy and hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from torchmetrics.functional.image import visual_information_fidelity

from vesalius.core.errors import InputError
from vesalius.metrics import parameters_of
from vesalius.metrics.pixel import VIF

Array = NDArray[np.float64]


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64)
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 0.1 * noise, reference


def smoothed(image: Array, size: int) -> Array:
    """The part of a Gaussian average in which the window lies in the image."""
    taps = np.exp(-0.5 * ((np.arange(size) - size // 2) / (size / 5)) ** 2)
    for axis in range(image.ndim):
        image = correlate1d(image, taps / taps.sum(), axis=axis)
    return image[(slice(size // 2, -(size // 2)),) * image.ndim]


def by_definition(x: Array, y: Array, mask: Array, scales: int) -> float:
    """VIFp of images in grey levels, the long way."""
    carried = held = 0.0
    for scale in range(scales):
        size = 2 ** (scales - scale) + 1
        inner = (slice(size // 2, -(size // 2)),) * x.ndim
        if scale:
            x, y = (smoothed(z, size)[(slice(None, None, 2),) * x.ndim] for z in (x, y))
            mask = mask[inner][(slice(None, None, 2),) * x.ndim]
        mean_x, mean_y = smoothed(x, size), smoothed(y, size)
        var_x = smoothed(x * x, size) - mean_x**2
        var_y = smoothed(y * y, size) - mean_y**2
        covariance = smoothed(x * y, size) - mean_x * mean_y
        gain = np.maximum(covariance / var_y, 0)
        rest = var_x - gain * covariance
        carried += np.log2(1 + gain**2 * var_y / (rest + 2))[mask[inner]].sum()
        held += np.log2(1 + var_y / 2)[mask[inner]].sum()
    return carried / held


@pytest.mark.parametrize("space", [(41, 47), (64, 50)])
def test_against_torchmetrics(space: tuple[int, int]) -> None:
    predicted, reference = pair(0, *space)
    found = VIF(1.0).statistic(predicted, reference)
    wanted = visual_information_fidelity(255 * predicted, 255 * reference, reduction="none")
    assert torch.allclose(found, wanted, rtol=1e-8)


def test_a_range_of_255_leaves_values_as_they_are() -> None:
    # so LDCT-Bench: VIF of HU + 1024, clipped to [0, 2924], without scaling
    predicted, reference = (4000 * images - 1500 for images in pair(1, 45, 45))
    found = VIF(255.0, data_unit="HU", limits=(-1024.0, 1900.0)).statistic(predicted, reference)
    clipped = ((images + 1024).clamp(0, 2924) for images in (predicted, reference))
    wanted = visual_information_fidelity(*clipped, reduction="none")
    assert torch.allclose(found, wanted, rtol=1e-8)


@pytest.mark.parametrize("space", [(30, 26), (18, 21, 19)])
def test_against_its_definition_in_a_mask(space: tuple[int, ...]) -> None:
    predicted, reference = pair(2, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(3)) < 0.4
    found = VIF(1.0, scales=3).statistic(predicted, reference, mask)
    for case in range(2):
        x, y = (255 * images[case, 0].numpy() for images in (predicted, reference))
        assert found[case].item() == pytest.approx(
            by_definition(x, y, mask[case, 0].numpy(), 3), rel=1e-9
        )


def test_slices_give_their_information_to_one_sum() -> None:
    predicted, reference = pair(4, 24, 5, 20)
    found = VIF(1.0, scales=3, slice_axis=1).statistic(predicted, reference)
    stacked = [images[:, 0].movedim(2, 1) for images in (predicted, reference)]
    assert torch.allclose(found, VIF(1.0, scales=3).statistic(*stacked), rtol=1e-12)


def test_a_scaled_copy_by_hand() -> None:
    # x = a y: the gain is a and nothing else is left, so each window carries
    # log(1 + a² v / 2) of log(1 + v / 2); a checkerboard has the same v in every inner window
    board = (torch.arange(7)[:, None] + torch.arange(7)) % 2 * 10.0
    taps = torch.exp(-0.5 * (torch.arange(-1, 2).double() / 0.6) ** 2)
    weights = taps / taps.sum()
    mean = (weights[0] + weights[2] - weights[1]).item() ** 2  # of +-1 over the window
    v = 25 * (1 - mean**2)
    half, twice = (VIF(255.0, scales=1).statistic(a * board[None, None], board[None, None])
                   for a in (0.5, 2.0))  # fmt: skip
    assert half.item() == pytest.approx(math.log1p(v / 8) / math.log1p(v / 2), rel=1e-12)
    assert twice.item() == pytest.approx(math.log1p(2 * v) / math.log1p(v / 2), rel=1e-12)


def test_what_holds_no_information() -> None:
    textured, _ = pair(5, 20, 20)
    flat = torch.full_like(textured, 0.1)
    metric = VIF(1.0, scales=2)
    assert metric.statistic(textured, flat).isnan().all()
    assert metric.statistic(flat, flat).isnan().all()
    assert metric.statistic(flat, textured).tolist() == [0.0, 0.0]
    assert metric.statistic(1 - textured, textured).tolist() == [0.0, 0.0]
    zero = torch.zeros_like(textured)
    assert VIF("reference_maximum", scales=2).statistic(textured, zero).isnan().all()


def test_sizes_and_parameters() -> None:
    assert [VIF(1.0, scales=n).smallest_size for n in (1, 2, 3, 4)] == [3, 7, 17, 41]
    small = torch.rand(1, 1, 41, 40, generator=torch.Generator().manual_seed(0))
    with pytest.raises(InputError, match=r"at least 41 voxels .* got 41x40; use fewer scales"):
        VIF(1.0).statistic(small, small)
    with pytest.raises(InputError, match="scales"):
        VIF(1.0, scales=0)
    with pytest.raises(InputError, match="noise_variance"):
        VIF(1.0, noise_variance=0.0)
    given = parameters_of(VIF(4024.0, data_unit="HU", limits=(-1024.0, 3000.0)))
    assert given["limits"] == [-1024.0, 3000.0]
    assert given["noise_variance"] == 2.0


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31), shift=st.floats(-500, 500), scale=st.floats(0.01, 100)
)  # fmt: skip
def test_level_and_scale_do_not_matter(seed: int, shift: float, scale: float) -> None:
    predicted, reference = pair(seed, 18, 17)
    value = VIF(1.0, scales=3).statistic(predicted, reference)
    moved = VIF(scale, scales=3).statistic(scale * (predicted + shift), scale * (reference - shift))
    assert torch.allclose(value, moved, rtol=1e-6)
    assert bool((value > 0).all())
