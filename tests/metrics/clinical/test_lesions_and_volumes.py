"""Lesions found, brain volume, ejection fraction and uptake, by hand and against scikit-image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label, regionprops
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.clinical import (
    BrainVolumeError,
    EjectionFractionError,
    LesionDetectionF1,
    SUVBias,
)


def a_map(*rows: str) -> Tensor:
    """``(1, 1, rows, columns)`` from rows of digits, dots for zero."""
    return torch.tensor([[[[int(c) if c != "." else 0 for c in row] for row in rows]]])


TRUTH = a_map(
    "11..11....",
    "11..11....",
    "..........",
    "1.......11",
    "1......11.",
)
FOUND = a_map(
    "11...1....",
    "11........",
    "......11..",
    "..........",
    ".......1..",
)
NOTHING = torch.zeros_like(TRUTH)


def test_lesions_by_hand() -> None:
    # four lesions, of which the left one below is missed; of four findings one is false
    def value(found: Tensor, truth: Tensor, **options: Any) -> float:
        return LesionDetectionF1(1, "lesion", **options).statistic(found, truth).item()

    assert value(FOUND, TRUTH) == pytest.approx(0.75)
    # a quarter of the second and of the fourth are covered
    assert value(FOUND, TRUTH, least_overlap=0.25) == pytest.approx(0.75)
    # now only the first is found (1/4), while the findings lie in lesions as before (3/4)
    assert value(FOUND, TRUTH, least_overlap=0.3) == pytest.approx(2 * 0.25 * 0.75 / 1.0)
    # single voxels are not findings any more: one right of two, one found of four
    assert value(FOUND, TRUTH, least_voxels=2) == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    assert value(TRUTH, TRUTH) == 1.0
    assert value(NOTHING, TRUTH) == value(FOUND, NOTHING) == 0.0
    assert math.isnan(value(NOTHING, NOTHING))
    assert value(NOTHING, NOTHING, both_absent=1.0) == 1.0
    # by faces, the last lesion falls into two, of which one is found: 3/5 and 3/4
    assert value(FOUND, TRUTH, connectivity="faces") == pytest.approx(0.75)
    split = a_map("1...", ".1..", "..11")
    one = a_map("1...", "....", "....")
    assert value(one, split) == 1.0
    assert value(one, split, connectivity="faces") == pytest.approx(2 / 4)


def test_one_finding_may_find_several_lesions() -> None:
    metric = LesionDetectionF1(2, "lesion")
    whole = torch.full_like(TRUTH, 2)
    assert metric.statistic(whole, 2 * TRUTH).item() == 1.0  # 14 of 50 voxels, and every lesion
    strict = LesionDetectionF1(2, "lesion", least_overlap=0.5)
    assert strict.statistic(whole, 2 * TRUTH).item() == 0.0
    mask = TRUTH > 0
    assert strict.statistic(whole, 2 * TRUTH, mask).item() == 1.0
    assert math.isnan(strict.statistic(whole, 2 * TRUTH, ~torch.ones_like(mask)).item())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    least_overlap=st.sampled_from([0.0, 0.1, 0.5]),
    least_voxels=st.integers(1, 4),
    connectivity=st.sampled_from(["corners", "faces"]),
    plane=st.booleans(),
)
def test_lesions_against_scikit_image(
    seed: int, least_overlap: float, least_voxels: int, connectivity: Any, plane: bool
) -> None:
    shape = (20, 22) if plane else (9, 10, 8)
    rng = np.random.default_rng(seed)
    found, truth = rng.random((2, *shape)) < 0.12
    reach = len(shape) if connectivity == "corners" else 1

    def lesions(region: Any) -> list[Any]:
        parts = regionprops(label(region, connectivity=reach))
        return [part.coords for part in parts if part.area >= least_voxels]

    def share(ours: list[Any], others: list[Any]) -> float:
        other = np.zeros(shape, dtype=bool)
        for coords in others:
            other[tuple(coords.T)] = True
        parts = [other[tuple(coords.T)] for coords in ours]
        return float(np.mean([part.any() and part.mean() >= least_overlap for part in parts]))

    metric = LesionDetectionF1(
        1,
        "lesion",
        least_overlap=least_overlap,
        least_voxels=least_voxels,
        connectivity=connectivity,
    )
    predicted, reference = (torch.from_numpy(x)[None, None].long() for x in (found, truth))
    value = metric.statistic(predicted, reference).item()
    ours, theirs = lesions(truth), lesions(found)
    if not ours and not theirs:
        assert math.isnan(value)
    elif not ours or not theirs:
        assert value == 0.0
    else:
        a, b = share(ours, theirs), share(theirs, ours)
        assert value == pytest.approx(2 * a * b / (a + b) if a and b else 0.0)
        assert metric.statistic(reference, predicted).item() == pytest.approx(value)


def test_lesions_that_are_refused() -> None:
    with pytest.raises(InputError, match="least_overlap"):
        LesionDetectionF1(1, "lesion", least_overlap=1.5)
    with pytest.raises(InputError, match="least_voxels"):
        LesionDetectionF1(1, "lesion", least_voxels=0)
    with pytest.raises(InputError, match="whole numbers"):
        LesionDetectionF1(1, "lesion").statistic(TRUTH + 0.5, TRUTH.double())


def test_brain_volume_by_hand() -> None:
    truth = a_map("1122", "11..", "3...")
    found = a_map("1212", "1112", "3333")
    metric = BrainVolumeError((1, 2))
    assert metric.unit == "%"
    assert metric.statistic(found, truth).item() == pytest.approx(100 * (8 - 6) / 6)
    assert metric.statistic(truth, found).item() == pytest.approx(100 * (6 - 8) / 8)
    assert BrainVolumeError((3,)).statistic(found, truth).item() == pytest.approx(300)
    assert metric.statistic(torch.zeros_like(truth), truth).item() == -100
    assert math.isnan(metric.statistic(found, torch.zeros_like(truth)).item())
    mask = torch.ones_like(truth, dtype=torch.bool)
    mask[..., 2:] = False  # four voxels are left in each
    assert metric.statistic(found, truth, mask).item() == 0.0
    for wrong in ((), (1, 1)):
        with pytest.raises(InputError, match="each once"):
            BrainVolumeError(wrong)


def phases(*volumes: int, space: tuple[int, ...] = (4, 5, 5)) -> Tensor:
    """``(1, phase, *space)``: a ventricle of so many voxels in each phase, and something else."""
    maps = torch.zeros(1, len(volumes), math.prod(space), dtype=torch.int64)
    for phase, volume in enumerate(volumes):
        maps[0, phase, :volume] = 1
        maps[0, phase, -3:] = 2
    return maps.reshape(1, len(volumes), *space)


@pytest.mark.parametrize("space", [(4, 5, 5), (10, 10)])
def test_ejection_fraction_by_hand(space: tuple[int, ...]) -> None:
    truth = phases(80, 60, 32, 50, space=space)  # 60 %
    found = phases(60, 72, 36, 50, space=space)  # 50 %, from the second phase
    free = EjectionFractionError(1, "left ventricle")
    assert free.unit == "percentage points"
    assert free.statistic(found, truth).item() == pytest.approx(-10)
    fixed = EjectionFractionError(1, "left ventricle", phases=(0, 2))
    assert fixed.statistic(found, truth).item() == pytest.approx(40 - 60)
    both = torch.cat([found, truth])
    values = free.statistic(both, torch.cat([truth, truth]))
    assert values.tolist() == pytest.approx([-10, 0])
    # the other label does not change: it ejects nothing
    assert EjectionFractionError(2, "other").statistic(found, truth).item() == 0.0
    mask = torch.zeros(1, 1, *space, dtype=torch.bool)
    mask.view(-1)[:40] = True  # of 80, 32 and 72, 36 voxels, 40, 32 and 40, 36 are left
    assert free.statistic(found, truth, mask).item() == pytest.approx(10 - 20)
    assert math.isnan(free.statistic(found, truth, ~torch.ones_like(mask)).item())
    assert math.isnan(free.statistic(phases(0, 0, 0, 0, space=space), truth).item())
    # order of the phases does not matter when they are found
    assert free.statistic(found.flip(1), truth).item() == pytest.approx(-10)


def test_phases_that_are_refused() -> None:
    one = phases(10)
    with pytest.raises(InputError, match="at least 2 phases, one a channel, got 1"):
        EjectionFractionError(1, "left ventricle").statistic(one, one)
    two = phases(10, 5)
    with pytest.raises(InputError, match="at least 4 phases"):
        EjectionFractionError(1, "left ventricle", phases=(0, 3)).statistic(two, two)
    for wrong in ((-1, 0), (2, 2)):
        with pytest.raises(InputError, match="two phases, counted from zero"):
            EjectionFractionError(1, "left ventricle", phases=wrong)
    three = phases(10, 5, 5).double()
    three[0, 1, 0, 0, 0] = math.nan
    with pytest.raises(InputError, match="case 0 of the batch"):
        EjectionFractionError(1, "left ventricle").statistic(three, three)


def test_uptake_by_hand() -> None:
    truth = torch.tensor([[[[2.0, 4.0, 0.0], [6.0, 0.0, 9.0]]]])
    found = torch.tensor([[[[3.0, 5.0, 1.0], [7.0, 0.0, 0.0]]]])
    mask = truth > 0
    assert SUVBias().unit == "%"
    assert SUVBias().statistic(found, truth, mask).item() == pytest.approx(100 * (15 - 21) / 21)
    hottest = SUVBias(uptake="maximum")
    assert hottest.statistic(found, truth, mask).item() == pytest.approx(100 * (7 - 9) / 9)
    # the region may be anything, also where the hottest voxel is outside of it
    mask[..., 1, 2] = False
    assert hottest.statistic(found, truth, mask).item() == pytest.approx(100 / 6)
    assert SUVBias().statistic(found, truth, mask).item() == pytest.approx(25)
    assert math.isnan(SUVBias().statistic(found, torch.zeros_like(truth)).item())
    assert math.isnan(SUVBias().statistic(found, truth, mask & False).item())


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), percent=st.floats(-50, 50), unit=st.floats(0.01, 1e4))
def test_uptake_is_relative(seed: int, percent: float, unit: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(2, 1, 4, 5, 3, generator=generator, dtype=torch.float64) * 8 + 0.1
    for metric in (SUVBias(), SUVBias(uptake="maximum")):
        found = metric.statistic(unit * truth * (1 + percent / 100), unit * truth)
        assert found.tolist() == pytest.approx([percent] * 2, abs=1e-6)
