"""Losses that look past grey values: structure, correlation, information, descriptors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core import Batch, InputError
from vesalius.generative.losses import (
    LocalCrossCorrelation,
    MultiScaleStructuralSimilarity,
    MutualInformation,
    NormalisedCrossCorrelation,
    StructuralSimilarity,
    StructureConsistency,
)
from vesalius.generative.losses.structure_consistency import neighbourhood_descriptors


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    """From -0.9 to 0.9, smooth enough to have structure."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, dtype=torch.float64, generator=generator)
    for axis in range(2, x.ndim):
        x = x + x.roll(1, axis) + x.roll(2, axis)
    return 0.9 * x / x.abs().max()


@pytest.mark.parametrize("space", [(21, 24), (13, 14, 15)])
def test_ssim_against_scikit_image(space: tuple[int, ...]) -> None:
    from skimage.metrics import structural_similarity

    drawn, wanted = images(2, 1, *space), images(2, 1, *space, seed=1)
    drawn = 0.5 * drawn + 0.5 * wanted
    reference = [
        structural_similarity(
            d[0].numpy() + 1,
            w[0].numpy() + 1,
            data_range=2.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for d, w in zip(drawn, wanted, strict=True)
    ]
    found = float(StructuralSimilarity()(drawn, Batch(wanted=wanted)))
    assert found == pytest.approx(1 - float(np.mean(reference)), abs=1e-9)


@pytest.mark.parametrize("space", [(45, 50), (22, 23, 25)])
def test_multi_scale_ssim_against_monai(space: tuple[int, ...]) -> None:
    from monai.metrics.regression import MultiScaleSSIMMetric

    wanted = images(2, 1, *space)
    drawn = 0.7 * wanted + 0.3 * images(2, 1, *space, seed=1)
    weights = (0.2, 0.3, 0.5) if len(space) == 2 else (0.4, 0.6)
    metric = MultiScaleSSIMMetric(spatial_dims=len(space), data_range=2.0, weights=weights)
    reference = metric(drawn + 1, wanted + 1).double().mean()
    loss = MultiScaleStructuralSimilarity(weights=weights)
    # MONAI computes in single precision
    assert float(loss(drawn, Batch(wanted=wanted))) == pytest.approx(1 - float(reference), abs=2e-5)


def test_one_scale_is_ssim() -> None:
    wanted = images(1, 1, 12, 12)
    drawn = 0.9 * wanted + 0.05
    batch = Batch(wanted=wanted)
    assert float(
        MultiScaleStructuralSimilarity(size=5, weights=(1.0,))(drawn, batch)
    ) == pytest.approx(float(StructuralSimilarity(size=5)(drawn, batch)))


def test_images_below_the_window_are_refused() -> None:
    small = images(1, 1, 8, 8)
    for loss in (
        StructuralSimilarity(),
        MultiScaleStructuralSimilarity(size=3),
        LocalCrossCorrelation(),
    ):
        with pytest.raises(InputError, match="voxels along every axis"):
            loss(small, Batch(wanted=small))


def test_where_scales_do_not_correlate_there_is_still_a_gradient() -> None:
    wanted = images(1, 1, 12, 12)
    drawn = (-wanted).requires_grad_()
    loss = MultiScaleStructuralSimilarity(size=3, weights=(0.5, 0.5))(drawn, Batch(wanted=wanted))
    loss.backward()
    assert drawn.grad is not None
    assert bool(drawn.grad.isfinite().all())
    assert 0.99 < float(loss.detach()) <= 1


def test_correlation_against_numpy() -> None:
    drawn, wanted = images(3, 1, 9, 8), images(3, 1, 9, 8, seed=1)
    reference = [
        np.corrcoef(d.flatten().numpy(), w.flatten().numpy())[0, 1]
        for d, w in zip(drawn, wanted, strict=True)
    ]
    found = float(NormalisedCrossCorrelation(floor=1e-15)(drawn, Batch(wanted=wanted)))
    assert found == pytest.approx(1 - float(np.mean(reference)), abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 5), st.floats(-2, 2), st.integers(2, 3))
def test_correlation_does_not_see_affine_changes(scale: float, shift: float, dims: int) -> None:
    drawn, wanted = images(2, 1, *(8,) * dims), images(2, 1, *(8,) * dims, seed=1)
    batch = Batch(wanted=wanted)
    for loss in (
        NormalisedCrossCorrelation(floor=1e-14),
        LocalCrossCorrelation(size=4, floor=1e-14),
    ):
        plain = float(loss(drawn, batch))
        assert float(loss(scale * drawn + shift, batch)) == pytest.approx(plain, abs=1e-6)
    assert float(NormalisedCrossCorrelation()(scale * wanted + shift, batch)) < 1e-5
    assert float(NormalisedCrossCorrelation()(shift - scale * wanted, batch)) > 2 - 1e-5
    squared = LocalCrossCorrelation(size=4, floor=1e-14)
    assert float(squared(shift - scale * wanted, batch)) < 1e-5, "blind to the sign"


@pytest.mark.parametrize("space", [(7, 6), (5, 6, 5)])
def test_local_correlation_by_brute_force(space: tuple[int, ...]) -> None:
    size, floor = 3, 1e-3
    drawn, wanted = images(1, 1, *space), images(1, 1, *space, seed=1)
    found = []
    for corner in np.ndindex(*(n - size + 1 for n in space)):
        window = tuple(slice(start, start + size) for start in corner)
        a, b = (x[0, 0].numpy()[window].ravel() for x in (drawn, wanted))
        covariance = np.mean((a - a.mean()) * (b - b.mean()))
        found.append((covariance**2 + floor) / (a.var() * b.var() + floor))
    loss = LocalCrossCorrelation(size=size, floor=floor)
    assert float(loss(drawn, Batch(wanted=wanted))) == pytest.approx(1 - np.mean(found))


def discrete(seed: int, bins: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(bins, (1, 1, 20, 20), generator=generator)


def test_information_of_grey_levels_against_scikit_learn() -> None:
    """With narrow windows and values on the centres, the histogram is that of the levels."""
    from sklearn.metrics import mutual_info_score

    a = discrete(0)
    b = torch.where(discrete(1) > 4, discrete(2), (a + 3) % 8)
    drawn, wanted = (2 * x.double() / 7 - 1 for x in (a, b))
    loss = MutualInformation(bins=8, width=0.02)
    found = float(loss(drawn, Batch(wanted=wanted)))
    assert found == pytest.approx(-mutual_info_score(a.flatten(), b.flatten()), abs=1e-9)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(3))
    renamed = 2 * order[a].double() / 7 - 1
    assert float(loss(renamed, Batch(wanted=wanted))) == pytest.approx(found, abs=1e-9)


def test_information_is_at_most_that_of_the_bins_and_none_in_noise() -> None:
    level = (torch.arange(400) % 8).reshape(1, 1, 20, 20)
    drawn = 2 * level.double() / 7 - 1
    loss = MutualInformation(bins=8, width=0.02)
    assert float(loss(drawn, Batch(wanted=drawn))) == pytest.approx(-math.log(8))
    flat = torch.zeros_like(drawn)
    assert float(MutualInformation()(flat, Batch(wanted=drawn))) == pytest.approx(0, abs=1e-12)


def test_information_does_not_see_contrast() -> None:
    drawn, wanted = images(1, 1, 30, 30), images(1, 1, 30, 30, seed=1)
    batch, loss = Batch(wanted=wanted), MutualInformation()
    same, inverted = float(loss(wanted, batch)), float(loss(-wanted, batch))
    assert inverted == pytest.approx(same, rel=1e-9)
    assert same < 2 * float(loss(drawn, batch)), "other images share less"
    curved = float(loss(wanted.abs().sqrt() * wanted.sign(), batch))
    assert curved == pytest.approx(same, rel=0.15)


def test_descriptors_by_brute_force() -> None:
    """Heinrich 2012, equations 2 to 4, at a voxel far from the edges."""
    image = images(1, 1, 9, 9)
    array, (row, column) = image[0, 0].numpy(), (4, 5)

    def patch(r: int, c: int) -> np.ndarray:
        return array[r - 1 : r + 2, c - 1 : c + 2]

    neighbours = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
    apart = np.array([np.mean((patch(row, column) - patch(*n)) ** 2) for n in neighbours])
    wanted = np.exp(-apart / apart.mean())
    found = neighbourhood_descriptors(image)[0, 0, :, row, column].numpy()
    np.testing.assert_allclose(found, wanted / wanted.max(), rtol=1e-9)


@pytest.mark.parametrize("space", [(12, 13), (7, 8, 9)])
def test_structure_is_the_same_in_another_contrast(space: tuple[int, ...]) -> None:
    given_ = images(1, 1, *space)
    batch, loss = Batch(wanted=None, given=given_), StructureConsistency(floor=1e-12)
    assert float(loss(-given_, batch)) == pytest.approx(0, abs=1e-12)
    assert float(loss(0.3 - 0.5 * given_, batch)) == pytest.approx(0, abs=1e-6)
    moved = float(loss(-given_.roll(1, dims=2), batch))
    other = float(loss(images(1, 1, *space, seed=5), batch))
    assert moved > 0.05
    assert other > 0.05
    assert loss(given_, batch) == 0
