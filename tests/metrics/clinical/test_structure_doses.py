"""Doses and volumes of structures by hand and against NumPy's percentiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core.errors import InputError, UnknownName
from vesalius.metrics.clinical import (
    ConformityError,
    DoseToPercentError,
    DoseToVolumeError,
    HomogeneityError,
    MeanDoseError,
    OfStructure,
    SUVBias,
    VolumeAtDoseError,
)
from vesalius.metrics.clinical.homogeneity_error import homogeneity_index
from vesalius.metrics.metric import CaseMetric

VOXEL_1_CC = (10.0, 10.0, 10.0)
UP_TO_100 = torch.arange(101, dtype=torch.float64).view(1, 1, 1, 101)
ALL: tuple[CaseMetric, ...] = (
    DoseToPercentError(95),
    DoseToVolumeError(2.0, VOXEL_1_CC),
    VolumeAtDoseError(20.0),
    MeanDoseError(),
    HomogeneityError(),
)


def test_by_hand() -> None:
    predicted = UP_TO_100 + 3
    for metric, wanted, unit in (
        (DoseToPercentError(95), 3.0, "Gy"),
        (DoseToVolumeError(2.0, VOXEL_1_CC), 3.0, "Gy"),
        (MeanDoseError(), 3.0, "Gy"),
        (VolumeAtDoseError(20.0), 100 * 3 / 101, "percentage points"),
        (HomogeneityError(), 96 / 53 - 96 / 50, "1"),
    ):
        assert metric.unit == unit
        assert metric.statistic(predicted, UP_TO_100).item() == pytest.approx(wanted), metric
    against_zero = torch.zeros_like(UP_TO_100)
    # half of the structure gets 50 Gy and more, a hundredth 99 Gy
    for percent, dose in ((50, 50.0), (1, 99.0), (95, 5.0), (0, 100.0), (100, 0.0)):
        found = DoseToPercentError(percent).statistic(UP_TO_100, against_zero).item()
        assert found == pytest.approx(dose)
    # two of 101 voxels of 1 cc are the hottest: the percentile 100 - 2/101 * 100
    hottest = DoseToVolumeError(2.0, VOXEL_1_CC).statistic(UP_TO_100, against_zero).item()
    assert hottest == pytest.approx(100 * (1 - 2 / 101))
    everything = DoseToVolumeError(500.0, VOXEL_1_CC).statistic(UP_TO_100, against_zero).item()
    assert everything == 0.0
    one_voxel = DoseToVolumeError(0.03, VOXEL_1_CC).statistic(UP_TO_100, against_zero).item()
    assert one_voxel == pytest.approx(100 * (1 - 1 / 101))
    # 80 Gy itself is at least 80 Gy
    covered = VolumeAtDoseError(80.0).statistic(UP_TO_100, against_zero).item()
    assert covered == pytest.approx(100 * 21 / 101)


def test_homogeneity_by_hand() -> None:
    assert homogeneity_index(torch.full((9,), 60.0)) == 0.0
    assert homogeneity_index(UP_TO_100.flatten()) == pytest.approx((98 - 2) / 50)
    assert math.isnan(homogeneity_index(torch.zeros(9)))
    assert math.isnan(homogeneity_index(torch.zeros(0)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), percent=st.floats(0, 100))
def test_against_numpy(seed: int, percent: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 1, 5, 6, 4)
    predicted, reference = 70 * torch.rand(2, *shape, generator=generator, dtype=torch.float64)
    mask = torch.rand(shape, generator=generator) < 0.4
    mask[:, 0, 0, 0, 0] = True
    error = DoseToPercentError(percent).statistic(predicted, reference, mask)
    for case in range(2):
        found, truth = (dose[case][mask[case]].numpy() for dose in (predicted, reference))
        # the definition: the share of the volume with at least this dose
        wanted = np.quantile(found, 1 - percent / 100) - np.quantile(truth, 1 - percent / 100)
        assert error[case].item() == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_laws(metric: CaseMetric) -> None:
    generator = torch.Generator().manual_seed(1)
    predicted, reference = 60 * torch.rand(2, 3, 1, 6, 7, 5, generator=generator)
    mask = torch.rand(reference.shape, generator=generator) < 0.5
    value = metric.statistic(predicted, reference, mask)
    assert value.shape == (3,)
    assert value.dtype is torch.float64
    assert torch.equal(metric.statistic(reference, reference, mask), torch.zeros_like(value))
    assert torch.allclose(metric.statistic(reference, predicted, mask), -value)
    elsewhere = torch.where(mask, predicted, 1000.0)
    assert torch.equal(metric.statistic(elsewhere, reference, mask), value)
    mask[1] = False
    with_empty = metric.statistic(predicted, reference, mask)
    assert with_empty.isnan().tolist() == [False, True, False]
    whole = torch.ones_like(mask)
    free = metric.statistic(predicted, reference)
    assert torch.equal(metric.statistic(predicted, reference, whole), free)
    broken = predicted.clone()
    broken[2, 0, 0, 0, 0] = math.nan
    with pytest.raises(InputError, match="case 2 of the batch"):
        metric.statistic(broken, reference)
    with pytest.raises(InputError, match="one channel"):
        metric.statistic(predicted.expand(3, 2, 6, 7, 5), reference.expand(3, 2, 6, 7, 5))


def plan(prescribed: slice, gy: float = 70.0) -> Tensor:
    dose = torch.full((1, 1, 1, 20), 10.0)
    dose[..., prescribed] = gy
    return dose


def test_conformity_by_hand() -> None:
    target = torch.zeros(1, 1, 1, 20, dtype=torch.bool)
    target[..., 5:15] = True
    metric = ConformityError("PTV", 70.0)

    def error(predicted: Tensor, reference: Tensor, where: Tensor = target) -> float:
        return metric.statistic(
            predicted, reference, {"PTV": where, "other": ~where}, spacing_mm=(3.0, 3.0)
        ).item()

    perfect = plan(slice(5, 15))
    assert error(perfect, perfect) == 0.0
    # twice the volume, all of the target: 10² / (10 * 20); half of the target: 5² / (10 * 5)
    assert error(plan(slice(0, 20)), perfect) == pytest.approx(0.5 - 1)
    assert error(plan(slice(5, 10)), perfect) == pytest.approx(0.5 - 1)
    # moved by three: 7² / (10 * 10)
    assert error(plan(slice(8, 18)), perfect) == pytest.approx(0.49 - 1)
    assert error(perfect, plan(slice(8, 18))) == pytest.approx(1 - 0.49)
    assert error(plan(slice(15, 20)), perfect) == -1.0  # beside the target
    assert error(plan(slice(5, 15), 69.9), perfect) == -1.0  # nowhere
    assert math.isnan(error(perfect, perfect, torch.zeros_like(target)))
    with pytest.raises(UnknownName, match="known structure"):
        metric.statistic(perfect, perfect, {"PTV70": target}, spacing_mm=(3.0, 3.0))
    with pytest.raises(InputError, match="2 voxel sizes"):
        metric.statistic(perfect, perfect, {"PTV": target}, spacing_mm=(3.0, 3.0, 3.0))
    with pytest.raises(InputError, match="prescription_gy"):
        ConformityError("PTV", 0.0)


def test_in_a_named_structure() -> None:
    metric = OfStructure(DoseToPercentError(95), "PTV70")
    mask = UP_TO_100 > 40
    found = metric.statistic(UP_TO_100 * 1.1, UP_TO_100, {"PTV70": mask}, spacing_mm=(3.0, 3.0))
    assert torch.equal(found, DoseToPercentError(95).statistic(UP_TO_100 * 1.1, UP_TO_100, mask))
    assert metric.name == "PTV70 dose_to_percent_error"
    assert metric.parameters == {"percent": 95, "structure": "PTV70"}
    assert (metric.unit, metric.direction, metric.level) == ("Gy", "zero", "clinical")
    uptake = OfStructure(SUVBias(), "liver")
    assert uptake.statistic(
        UP_TO_100 * 1.1, UP_TO_100, {"liver": mask}, spacing_mm=(3.0, 3.0)
    ).item() == pytest.approx(10)
    with pytest.raises(UnknownName):
        metric.statistic(UP_TO_100, UP_TO_100, {"liver": mask}, spacing_mm=(3.0, 3.0))


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 100"):
        DoseToPercentError(101)
    with pytest.raises(InputError, match="volume_cc"):
        DoseToVolumeError(0.0, VOXEL_1_CC)
    with pytest.raises(InputError, match="3 voxel sizes"):
        DoseToVolumeError(1.0, (1.0, 1.0))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threshold_gy"):
        VolumeAtDoseError(-1.0)
