"""The gamma pass rate by hand, against a plain search with SciPy, and against PyMedPhys."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.clinical import GammaPassRate

CRITERIA = {"dose_percent": 3.0, "distance_mm": 3.0}


def doses(seed: int, shape: tuple[int, ...], spacing_mm: tuple[float, ...]) -> tuple[Any, Any]:
    """A smooth reference up to 70 Gy, and a prediction that is 1 % too high and off by 1.2 Gy."""
    rng = np.random.default_rng(seed)
    reference = gaussian_filter(rng.random(shape), [4.8 / size for size in spacing_mm])
    reference = 70 * (reference - reference.min()) / (reference.max() - reference.min())
    error = gaussian_filter(rng.random(shape), [4 / size for size in spacing_mm])
    return 1.01 * reference + 1.2 * (error - error.mean()) / error.std(), reference


def batched(dose: Any) -> Tensor:
    return torch.as_tensor(dose, dtype=torch.float64)[None, None]


def searched(predicted: Any, reference: Any, metric: GammaPassRate) -> float:
    """The definition without any short cut: every position for every point, inside the image."""
    full = metric.normalisation_gy or reference.max()
    points = np.argwhere(reference >= metric.cutoff_percent / 100 * full)
    steps, places = [], []
    for size in metric.spacing_mm:
        n = math.ceil(size * metric.steps / metric.distance_mm)
        steps.append(size / n)
        reach = int(metric.distance_mm / (size / n) + 1e-6)
        places.append(np.arange(-reach, reach + 1) * size / n)
    offsets = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, reference.ndim)
    offsets = offsets[(offsets**2).sum(axis=1) <= metric.distance_mm**2 * (1 + 1e-9)]
    distance = (offsets**2).sum(axis=1) / metric.distance_mm**2
    passed = 0
    for point in points:
        place = point + offsets / metric.spacing_mm
        inside = ((place >= -1e-9) & (place <= np.array(reference.shape) - 1 + 1e-9)).all(axis=1)
        found = map_coordinates(predicted, place[inside].T, order=1, mode="nearest")
        truth = reference[tuple(point)]
        tolerance = metric.dose_percent / 100 * (full if metric.relative_to == "global" else truth)
        gamma = distance[inside] + ((found - truth) / tolerance) ** 2
        passed += gamma.min() <= 1 + 1e-9
    return 100 * passed / len(points)


def test_a_dose_that_is_too_high_by_hand() -> None:
    # in a uniform dose, no place has another one; 3 % of 100 Gy are 3 Gy, of 50 Gy 1.5 Gy
    reference = torch.stack([torch.full((1, 3, 5, 4), 100.0), torch.full((1, 3, 5, 4), 50.0)])
    for factor, relative_to, wanted in (
        (1.03, "global", [100.0, 100.0]),
        (1.031, "global", [0.0, 100.0]),
        (1.061, "global", [0.0, 0.0]),
        (1.03, "local", [100.0, 100.0]),
        (1.031, "local", [0.0, 0.0]),
        (0.97, "local", [100.0, 100.0]),
        (0.969, "local", [0.0, 0.0]),
    ):
        metric = GammaPassRate(
            (9.0, 9.0, 9.0), relative_to=relative_to, normalisation_gy=100.0, **CRITERIA
        )
        found = metric.statistic(factor * reference, reference)
        assert found.tolist() == wanted, (factor, relative_to)
    assert GammaPassRate((9.0, 9.0, 9.0), **CRITERIA).unit == "%"


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shifted_ramp_by_hand(axis: int) -> None:
    # the dose rises by 10 Gy a voxel of 5 mm, to 100 Gy: a shift by s mm is an error of 2 s Gy
    spacing = [7.0, 7.0, 7.0]
    spacing[axis] = 5.0
    ramp = 10 * torch.arange(11, dtype=torch.float64)
    shape = [3, 3, 3]
    shape[axis] = 11
    view = [1, 1, 1]
    view[axis] = 11
    reference = ramp.view(view).expand(shape)[None, None]
    mask = torch.zeros_like(reference, dtype=torch.bool)
    mask.narrow(2 + axis, 3, 5)[:] = True  # away from the ends
    metric = GammaPassRate(tuple(spacing), steps=20, **CRITERIA)
    # in units of the criteria the ramp has slope (2 Gy / mm) * (3 mm / 3 Gy) = 2; the distance of a
    # point to a line shifted by s mm is (s / 3) * 2 / sqrt(1 + 2²), 1 at s = 3.354 mm
    for shift_mm, wanted in ((3.3, 100.0), (3.37, 0.0), (-3.3, 100.0), (-3.37, 0.0)):
        predicted = reference + 2 * shift_mm
        assert metric.statistic(predicted, reference, mask).item() == wanted, shift_mm


def test_a_place_between_voxels_counts() -> None:
    # one voxel is 6 mm; 3 Gy are reached half way, at 3 mm, only between voxels
    reference = batched(np.full((1, 3), 100.0))
    predicted = batched(np.array([[110.0, 106.0, 94.0]]))
    # the first is 6 Gy off next door; the others meet 100 Gy half way, at 3 mm
    metric = GammaPassRate((6.0, 6.0), **CRITERIA)
    assert metric.statistic(predicted, reference).item() == pytest.approx(200 / 3)
    near = GammaPassRate((6.0, 6.0), dose_percent=3.0, distance_mm=1.4)
    assert near.statistic(predicted, reference).item() == 0.0


def test_what_is_judged() -> None:
    reference = batched(np.array([[100.0, 9.9, 10.0, 50.0, 0.0]]))
    predicted = batched(np.array([[100.0, 90.0, 90.0, 50.0, 90.0]]))
    far = (50.0, 50.0)
    assert GammaPassRate(far, **CRITERIA).statistic(predicted, reference).item() == pytest.approx(
        200 / 3
    )
    all_of_it = GammaPassRate(far, cutoff_percent=0, **CRITERIA)
    assert all_of_it.statistic(predicted, reference).item() == pytest.approx(40)
    prescribed = GammaPassRate(far, normalisation_gy=500.0, **CRITERIA)  # 10 % are 50 Gy
    assert prescribed.statistic(predicted, reference).item() == 100.0
    mask = torch.zeros_like(reference, dtype=torch.bool)
    mask[..., 2] = True  # the normalisation stays that of the image, the point is judged
    assert GammaPassRate(far, **CRITERIA).statistic(predicted, reference, mask).item() == 0.0
    mask = torch.zeros_like(mask)
    mask[..., 1] = True  # below the cut-off
    assert math.isnan(GammaPassRate(far, **CRITERIA).statistic(predicted, reference, mask).item())
    nothing = torch.zeros_like(reference)
    assert math.isnan(GammaPassRate(far, **CRITERIA).statistic(predicted, nothing).item())
    # a local tolerance of no dose is none: only the same dose passes
    local = GammaPassRate(far, relative_to="local", cutoff_percent=0, **CRITERIA)
    assert local.statistic(reference, reference).item() == 100.0


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    spacing=st.tuples(*[st.sampled_from([1.3, 2.0, 2.7, 4.4])] * 3),
    relative_to=st.sampled_from(["global", "local"]),
    criteria=st.sampled_from([(3.0, 3.0), (2.0, 2.0), (1.0, 3.0), (3.0, 1.1)]),
    plane=st.booleans(),
)
def test_against_a_plain_search(
    seed: int,
    spacing: tuple[float, ...],
    relative_to: Any,
    criteria: tuple[float, float],
    plane: bool,
) -> None:
    shape = (13, 12) if plane else (7, 6, 8)
    spacing = spacing[: len(shape)]
    predicted, reference = doses(seed, shape, spacing)
    metric = GammaPassRate(
        spacing,
        dose_percent=criteria[0],
        distance_mm=criteria[1],
        relative_to=relative_to,
        steps=5,
    )
    found = metric.statistic(batched(predicted), batched(reference)).item()
    assert found == pytest.approx(searched(predicted, reference, metric), abs=1e-9)


@pytest.mark.parametrize(
    ("seed", "shape", "spacing", "wanted"),
    [
        (0, (14, 15, 16), (2.5, 2.5, 3.0), (98.4767, 95.6392, 96.8041, 93.3094)),
        (1, (16, 12, 14), (4.4, 4.4, 2.7), (99.4395, 97.5336, 98.0194, 95.8147)),
        (2, (22, 24), (1.0, 1.5), (99.6063, 99.0157, 99.0157, 98.8189)),
    ],
)
def test_against_the_numbers_of_pymedphys(
    seed: int, shape: tuple[int, ...], spacing: tuple[float, ...], wanted: tuple[float, ...]
) -> None:
    # PyMedPhys 0.41.0, gamma(..., lower_percent_dose_cutoff=10, interp_fraction=10): it looks at
    # other places between the voxels, so a point in a few hundred may differ
    predicted, reference = doses(seed, shape, spacing)
    cases = [(kind, limit) for kind in ("global", "local") for limit in (3.0, 2.0)]
    for (kind, limit), value in zip(cases, wanted, strict=True):
        metric = GammaPassRate(spacing, dose_percent=limit, distance_mm=limit, relative_to=kind)
        found = metric.statistic(batched(predicted), batched(reference)).item()
        assert found == pytest.approx(value, abs=0.25)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 100))
def test_laws(seed: int, scale: float) -> None:
    spacing = (2.5, 3.0)
    predicted, reference = (batched(dose) for dose in doses(seed, (12, 14), spacing))
    metric = GammaPassRate(spacing, dose_percent=2.0, distance_mm=2.0)
    value = metric.statistic(predicted, reference).item()
    assert 0 <= value <= 100
    assert (
        metric.statistic(scale * predicted, scale * reference).item() == value
    )  # the unit of dose
    turned = GammaPassRate(spacing[::-1], dose_percent=2.0, distance_mm=2.0)
    flipped = turned.statistic(predicted.mT, reference.mT).item()
    assert flipped == pytest.approx(value)
    for looser in (
        GammaPassRate(spacing, dose_percent=3.0, distance_mm=2.0),
        GammaPassRate(spacing, dose_percent=2.0, distance_mm=4.0),
    ):
        assert looser.statistic(predicted, reference).item() >= value - 1e-9
    assert metric.statistic(reference, reference).item() == 100.0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"spacing_mm": (3.0, 0.0, 3.0)}, "spacing_mm"),
        ({"dose_percent": 0.0}, "dose_percent"),
        ({"distance_mm": -1.0}, "distance_mm"),
        ({"cutoff_percent": 101.0}, "cutoff_percent"),
        ({"normalisation_gy": 0.0}, "normalisation_gy"),
        ({"steps": 0}, "one step"),
    ],
)
def test_what_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        GammaPassRate(**{"spacing_mm": (3.0, 3.0, 3.0), **CRITERIA, **change})
    dose = torch.ones(1, 1, 4, 4)
    with pytest.raises(InputError, match="3 voxel sizes|2 voxel sizes"):  # noqa: RUF043
        GammaPassRate((3.0, 3.0, 3.0), **CRITERIA).statistic(dose, dose)


@pytest.mark.slow
def test_a_volume_of_128_cubed_is_quick() -> None:
    spacing = (3.9, 3.9, 2.5)
    predicted, reference = (batched(dose) for dose in doses(0, (128, 128, 128), spacing))
    metric = GammaPassRate(spacing, **CRITERIA)
    start = time.process_time()
    value = metric.statistic(predicted, reference).item()
    assert 90 < value < 100
    assert time.process_time() - start < 60
