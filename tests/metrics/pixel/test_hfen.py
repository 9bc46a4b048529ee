"""HFEN against SciPy with the filter written out, and hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import correlate

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import HFEN


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64) * 900 - 300
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 100 * noise, reference


def laplacian_of_gaussian(dimensions: int, size: int, sigma: float) -> NDArray[np.float64]:
    """MATLAB's fspecial("log", size, sigma), in any number of dimensions."""
    grid = np.meshgrid(*[np.arange(size) - size // 2] * dimensions, indexing="ij")
    squared = sum(axis.astype(np.float64) ** 2 for axis in grid)
    gaussian = np.exp(-squared / (2 * sigma**2))
    gaussian /= gaussian.sum()
    kernel = gaussian * (squared - dimensions * sigma**2) / sigma**4
    return kernel - kernel.mean()


@pytest.mark.parametrize(("space", "size", "sigma"), [((24, 19), 15, 1.5), ((11, 9, 10), 7, 1.0)])
def test_against_scipy(space: tuple[int, ...], size: int, sigma: float) -> None:
    predicted, reference = pair(0, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(1)) < 0.5
    metric = HFEN(size=size, sigma_voxels=sigma)
    free, masked = (metric.statistic(predicted, reference, where) for where in (None, mask))
    kernel = laplacian_of_gaussian(len(space), size, sigma)
    for case in range(2):
        y = correlate(reference[case, 0].numpy(), kernel, mode="reflect")
        error = correlate(predicted[case, 0].numpy(), kernel, mode="reflect") - y
        within = mask[case, 0].numpy()
        wanted = np.linalg.norm(error) / np.linalg.norm(y)
        assert free[case].item() == pytest.approx(wanted, rel=1e-9)
        wanted = np.linalg.norm(error[within]) / np.linalg.norm(y[within])
        assert masked[case].item() == pytest.approx(wanted, rel=1e-9)


def test_slices() -> None:
    predicted, reference = pair(2, 16, 16, 3)
    found = HFEN(slice_axis=2).statistic(predicted, reference)
    kernel = laplacian_of_gaussian(2, 15, 1.5)[..., None]
    y = correlate(reference[0, 0].numpy(), kernel, mode="reflect")
    error = correlate(predicted[0, 0].numpy(), kernel, mode="reflect") - y
    assert found[0].item() == pytest.approx(np.linalg.norm(error) / np.linalg.norm(y), rel=1e-9)


def test_by_hand() -> None:
    _, reference = pair(3, 20, 20)
    # the filter is linear and free of a mean: a multiple errs by its excess, a level by nothing
    assert HFEN().statistic(1.25 * reference, reference).tolist() == pytest.approx([0.25, 0.25])
    assert HFEN().statistic(reference + 1000, reference).tolist() == pytest.approx(
        [0.0, 0.0], abs=1e-11
    )
    assert HFEN().statistic(-reference, reference).tolist() == pytest.approx([2.0, 2.0])
    constant = torch.full_like(reference, 0.1)
    assert HFEN().statistic(constant, reference).tolist() == pytest.approx([1.0, 1.0])
    assert HFEN().statistic(reference, constant).isnan().all()


def test_limits_and_parameters() -> None:
    predicted, reference = pair(4, 16, 16)
    found = HFEN(data_unit="HU", limits=(-160.0, 240.0)).statistic(predicted, reference)
    clipped = HFEN().statistic(predicted.clamp(-160, 240), reference.clamp(-160, 240))
    assert torch.equal(found, clipped)
    for wrong in ({"size": 4}, {"size": 1}, {"sigma_voxels": 0.0}, {"limits": (1.0, 0.0)}):
        with pytest.raises(InputError):
            HFEN(**wrong)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100), shift=st.floats(-1e3, 1e3))
def test_level_and_scale_do_not_matter(seed: int, scale: float, shift: float) -> None:
    predicted, reference = pair(seed, 9, 10)
    value = HFEN().statistic(predicted, reference)
    moved = HFEN().statistic(scale * predicted + shift, scale * reference - shift)
    assert torch.allclose(value, moved, rtol=1e-7)
    assert not math.isnan(value[0])
