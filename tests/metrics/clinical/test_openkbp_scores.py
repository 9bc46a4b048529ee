"""The OpenKBP challenge's scores by hand, and against the definition written out in NumPy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.data.sources import OpenKBP
from vesalius.data.sources.openkbp import STRUCTURES, structure_mask
from vesalius.metrics.clinical import (
    DoseScore,
    DVHScore,
    OpenKBPScores,
    openkbp_scores,
    openkbp_summary,
)

DATA = Path(__file__).parents[4] / "shared" / "data" / "openkbp"
VOXEL_10_MM3 = (2.0, 2.0, 2.5)  # 0.1 cc are ten voxels


def a_line(values: list[float]) -> Tensor:
    """``(1, 1, 1, n)``: an image of one row of voxels."""
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 1, -1)


def absent(like: Tensor) -> dict[str, Tensor]:
    return {name: torch.zeros_like(like, dtype=torch.bool) for name in STRUCTURES}


def written_out(
    predicted: np.ndarray,
    reference: np.ndarray,
    masks: dict[str, np.ndarray],
    possible: np.ndarray,
    spacing_mm: tuple[float, ...],
) -> tuple[float, dict[str, float]]:
    """The definition in Babier et al. (2021), without anything of the package."""
    predicted = predicted * possible
    found = {}
    for name, mask in masks.items():
        if not mask.any():
            continue
        pair = predicted[mask], reference[mask]
        if name.startswith("PTV"):
            for label, percentile in (("D_99%", 1), ("D_95%", 5), ("D_1%", 99)):
                values = [np.percentile(dose, percentile) for dose in pair]
                found[f"{name} {label}"] = values[0] - values[1]
        else:
            n = max(1.0, np.round(100 / np.prod(spacing_mm)))
            values = [np.percentile(dose, max(0, 100 - n / mask.sum() * 100)) for dose in pair]
            found[f"{name} D_0.1cc"] = values[0] - values[1]
            found[f"{name} mean"] = pair[0].mean() - pair[1].mean()
    return np.abs(predicted - reference).sum() / possible.sum(), found


def test_by_hand() -> None:
    reference = a_line([float(k) for k in range(21)])
    predicted = 2 * reference
    structures = absent(reference)
    structures["Larynx"][..., :] = True  # 0.1 cc is one voxel of 100 mm3: of 21, percentile 95.24
    structures["PTV70"][..., :11] = True  # doses 0, 1, ..., 10
    possible = torch.ones_like(reference, dtype=torch.bool)
    possible[..., 20] = False
    scores = openkbp_scores(predicted, reference, structures, possible, (4.0, 5.0, 5.0))
    # the last voxel's reference of 20 Gy is an error, its prediction of 40 Gy is not
    assert scores.dose_score == pytest.approx((sum(range(20)) + 20) / 20)
    at = 20 * (1 - 1 / 21)  # between the voxels 19 and 20, counted from the coldest
    # sorted, the prediction is 0 (blanked), 0, 2, ..., 38; the value at 19.05 is 36 + 0.05 * 2
    assert scores.dvh_errors["Larynx D_0.1cc"] == pytest.approx((36 + 2 * (at - 19)) - at)
    assert scores.dvh_errors["Larynx mean"] == pytest.approx((2 * 190 - 210) / 21)
    assert scores.dvh_errors["PTV70 D_99%"] == pytest.approx(0.1)
    assert scores.dvh_errors["PTV70 D_95%"] == pytest.approx(0.5)
    assert scores.dvh_errors["PTV70 D_1%"] == pytest.approx(9.9)
    assert len(scores.dvh_errors) == 5
    assert scores.dvh_score == pytest.approx(np.mean(np.abs(list(scores.dvh_errors.values()))))


def test_a_tenth_of_a_cc_is_whole_voxels() -> None:
    reference = a_line([float(k) for k in range(21)])
    structures = absent(reference)
    structures["Brainstem"][..., :] = True
    possible = torch.ones_like(reference, dtype=torch.bool)
    scores = openkbp_scores(reference * 0, reference, structures, possible, VOXEL_10_MM3)
    assert scores.dvh_errors["Brainstem D_0.1cc"] == pytest.approx(-20 * (1 - 10 / 21))
    huge = openkbp_scores(reference * 0, reference, structures, possible, (9.0, 9.0, 9.0))
    assert huge.dvh_errors["Brainstem D_0.1cc"] == pytest.approx(-20 * (1 - 1 / 21))
    tiny = openkbp_scores(reference * 0 - 1, reference, structures, possible, (1.0, 1.0, 1.0))
    assert tiny.dvh_errors["Brainstem D_0.1cc"] == pytest.approx(-1)  # all voxels are hottest


def test_a_set_of_patients_pools_the_criteria() -> None:
    many = OpenKBPScores(1.0, {"PTV70 D_1%": -3.0, "PTV70 D_95%": 1.0, "PTV70 D_99%": 2.0})
    few = OpenKBPScores(4.0, {"Larynx mean": 8.0})
    assert openkbp_summary([many, few]) == (2.5, 3.5)  # not (2 + 8) / 2
    assert many.dvh_score == 2.0
    assert all(math.isnan(value) for value in openkbp_summary([]))
    assert math.isnan(OpenKBPScores(1.0, {}).dvh_score)


@pytest.mark.parametrize("seed", range(4))
def test_against_the_definition_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (1, 9, 11, 10)
    reference, predicted = rng.gamma(2, 15, (2, *shape))
    possible = rng.random(shape) < 0.8
    reference *= possible
    masks = {name: rng.random(shape) < rng.uniform(0, 0.2) for name in STRUCTURES}
    masks["Larynx"][:] = False
    spacing = tuple(rng.uniform(1.5, 5, 3).tolist())
    scores = openkbp_scores(
        torch.from_numpy(predicted),
        torch.from_numpy(reference),
        {name: torch.from_numpy(mask) for name, mask in masks.items()},
        torch.from_numpy(possible),
        spacing,
    )
    dose, dvh = written_out(predicted, reference, masks, possible, spacing)
    assert scores.dose_score == pytest.approx(dose)
    assert dict(scores.dvh_errors) == pytest.approx(dvh)
    assert not any("Larynx" in name for name in scores.dvh_errors)


def test_a_batch_is_its_cases() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, reference = 70 * torch.rand(2, 3, 1, 8, 9, 7, generator=generator)
    structures = {name: torch.rand(3, 1, 8, 9, 7, generator=generator) < 0.1 for name in STRUCTURES}
    structures["Esophagus"][1] = False
    metric = DVHScore()
    together = metric.statistic(predicted, reference, structures, spacing_mm=(3.0, 3.0, 3.0))
    errors = metric.errors(predicted, reference, structures, spacing_mm=(3.0, 3.0, 3.0))
    assert together.dtype is errors.dtype is torch.float64
    assert errors.shape == (3, len(metric.criteria)) == (3, 7 * 2 + 3 * 3)
    assert errors[1].isnan().sum() == 2
    for case in range(3):
        one = slice(case, case + 1)
        alone = metric.statistic(
            predicted[one],
            reference[one],
            {name: mask[one] for name, mask in structures.items()},
            spacing_mm=(3.0, 3.0, 3.0),
        )
        assert torch.equal(alone, together[one])
    same = metric.statistic(reference, reference, structures, spacing_mm=(3.0, 3.0, 3.0))
    assert torch.equal(same, torch.zeros(3, dtype=torch.float64))
    nothing = absent(reference)
    empty = metric.statistic(predicted, reference, nothing, spacing_mm=(3.0, 3.0, 3.0))
    assert bool(empty.isnan().all())


def test_what_is_refused() -> None:
    dose = torch.ones(1, 4, 4, 4)
    whole = torch.ones_like(dose, dtype=torch.bool)
    spacing = (3.0, 3.0, 3.0)
    structures = absent(dose)
    with pytest.raises(InputError, match="empty 'possible_dose'"):
        openkbp_scores(dose, dose, structures, ~whole, spacing)
    given = {name: mask for name, mask in structures.items() if name != "PTV63"}
    with pytest.raises(InputError, match=r"known structure.*'PTV63'"):
        openkbp_scores(dose, dose, given, whole, spacing)
    with pytest.raises(InputError, match=r"structure 'Larynx': expected a bool mask.*int64"):
        openkbp_scores(dose, dose, {**structures, "Larynx": whole.long()}, whole, spacing)
    with pytest.raises(InputError, match="structure 'Larynx'"):
        openkbp_scores(dose, dose, {**structures, "Larynx": whole[..., :3]}, whole, spacing)
    with pytest.raises(InputError, match="3 voxel sizes"):
        openkbp_scores(dose, dose, structures, whole, (3.0, 3.0))
    with pytest.raises(InputError, match="finite values in 'predicted'"):
        openkbp_scores(dose * math.nan, dose, structures, whole, spacing)
    with pytest.raises(InputError, match="one channel"):
        DoseScore().statistic(dose[None].expand(1, 2, 4, 4, 4), dose[None].expand(1, 2, 4, 4, 4))


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the OpenKBP plans in shared/data")
def test_real_patients() -> None:
    source = OpenKBP(DATA)
    patients = []
    for index, case in enumerate([case for case in source.cases() if case.partition == "test"][:2]):
        images = source.read(case)
        reference = images["dose"].data
        possible = images["possible_dose"].data > 0
        structures = {name: structure_mask(images["structures"].data, name) for name in STRUCTURES}
        spacing = images["dose"].spacing_mm
        same = openkbp_scores(reference, reference, structures, possible, spacing)
        assert same.dose_score == 0
        assert same.dvh_errors
        assert set(same.dvh_errors.values()) == {0.0}
        rng = np.random.default_rng(index)
        predicted = reference.numpy() * rng.uniform(0.8, 1.1) + rng.normal(0, 2, reference.shape)
        scores = openkbp_scores(
            torch.from_numpy(predicted), reference, structures, possible, spacing
        )
        dose, dvh = written_out(
            predicted,
            reference.numpy().astype(np.float64),
            {name: mask.numpy() for name, mask in structures.items()},
            possible.numpy(),
            spacing,
        )
        assert scores.dose_score == pytest.approx(dose, rel=1e-9)
        assert dict(scores.dvh_errors) == pytest.approx(dvh, rel=1e-6, abs=1e-5)
        patients.append(scores)
    dose, dvh = openkbp_summary(patients)
    assert dose == pytest.approx(np.mean([scores.dose_score for scores in patients]))
    pooled = np.concatenate([np.abs(list(scores.dvh_errors.values())) for scores in patients])
    assert dvh == pytest.approx(pooled.mean())
