"""Readers find what was planted, and what they count agrees with the truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vesalius.anatomy import DigitalPatients
from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.ladder import Cohort, corruption_ladder
from vesalius.evaluation.ladder.class_reader import ClassReadings, SideReadings
from vesalius.evaluation.ladder.corruptions import InsertedLesion, Mirrored, Nothing, RemovedLesion
from vesalius.evaluation.ladder.digital import CLASSES, digital_cohort
from vesalius.evaluation.ladder.lesion_template import lesion_templates
from vesalius.evaluation.ladder.readings import LabelReadings, LesionReadings, lesions
from vesalius.evaluation.ladder.voxel_reader import VoxelReader, trained_reader
from vesalius.metrics.clinical import Dice
from vesalius.tasks.logistic_regression import LogisticRegression

SIZE = 24


class Bright(nn.Module):
    """Calls lesion what is brighter than 0.7 of the limits."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([torch.full_like(images, 0.7), images], dim=1)


def heads(n: int, seed: int = 0) -> Cohort:
    """Grey squares with a bright lesion of 3 x 3 in every second one, in the right half."""
    rng = np.random.default_rng(seed)
    shape = (n, 1, SIZE, SIZE)
    images = torch.from_numpy(rng.normal(0, 0.03, shape)).float()
    mask, possible, lesion = (torch.zeros(shape, dtype=torch.bool) for _ in range(3))
    mask[..., 2:22, 2:22] = True
    possible[..., 6:18, 12:18] = True
    images[mask] += 0.5
    images[possible] += 0.3
    for row in range(0, n, 2):
        y, x = rng.integers(6, 15), rng.integers(12, 15)
        lesion[row, 0, y : y + 3, x : x + 3] = True
    images[lesion] = 1.8
    tissues = mask.long() + possible.long()
    tissues[lesion] = 3
    return Cohort(images, mask=mask, possible=possible, lesion=lesion, tissues=tissues)


def bright_reader() -> VoxelReader:
    return VoxelReader(Bright(), (0.0, 2.0), lesion=1)


def counted(measure: LesionReadings, cohort: Cohort) -> dict[str, list[float]]:
    rows = measure.rows(cohort)
    return {name: rows[:, k].tolist() for k, (name, _, _) in enumerate(measure.COLUMNS)}


def test_connected_voxels_are_a_lesion_and_few_are_not() -> None:
    region = np.zeros((6, 6), dtype=bool)
    region[0, 0] = region[1, 1] = region[2, 2] = region[3, 3] = True
    region[0, 4:] = region[1, 5] = True
    found = lesions(region)
    assert len(found) == 1
    assert found[0].sum() == 4


def test_a_lesion_where_none_can_be_is_counted_as_impossible() -> None:
    of, training = heads(12), heads(20, seed=1)
    measure = LesionReadings(bright_reader(), training)
    before = counted(measure, of)
    assert before["false lesions"] == [0.0] * 12
    assert before["missed lesions"] == [0.0] * 12
    assert before["patients with a lesion"] == [1.0, 0.0] * 6
    assert before["lesion seen where there is one, and only there"] == [1.0] * 12
    by_truth, by_atlas = (measure.COLUMNS[k][0] for k in (4, 5))
    templates = lesion_templates(training)
    for place, count in (("plausible", 0.0), ("impossible", 1.0)):
        corruption = InsertedLesion(templates, place)  # type: ignore[arg-type]
        shown = corruption.applies(of, 1.0, numpy_stream(2))
        after = counted(measure, of.showing(shown.images))
        assert after[by_truth] == [count] * 12
        assert after[by_atlas] == [count] * 12
        assert np.mean(after["false lesions"]) > 0.8
    gone = RemovedLesion().applies(of, 1.0, numpy_stream(3)).images
    after = counted(measure, of.showing(gone))
    assert after["missed lesions"] == [1.0, 0.0] * 6
    assert after["patients with a lesion"] == [0.0] * 12


def test_the_truth_and_not_the_reader_says_what_is_possible() -> None:
    of = heads(4)
    everywhere = Cohort(of.images, lesion=of.lesion, possible=torch.ones_like(of.mask))
    nowhere = Cohort(of.images, lesion=of.lesion, possible=torch.zeros_like(of.mask))
    measure = LesionReadings(bright_reader(), everywhere)
    assert measure.rows(everywhere)[:, 4].tolist() == [0.0] * 4
    assert measure.rows(nowhere)[:, 4].tolist() == [1.0, 0.0] * 2
    assert measure.rows(nowhere)[:, 5].tolist() == [0.0] * 4
    with pytest.raises(InputError, match="'possible'"):
        LesionReadings(bright_reader(), Cohort(of.images))


def test_only_the_judge_of_places_tells_possible_from_impossible() -> None:
    of, training = heads(60, seed=4), heads(40, seed=5)
    measure = LesionReadings(bright_reader(), training)
    templates = lesion_templates(training)
    ladder = corruption_ladder(
        of,
        measure.judges(range(6), "a reader"),
        [Nothing(), *(InsertedLesion(templates, where) for where in ("plausible", "impossible"))],
        patients_a_set=20,
        real_sets=100,
        control=heads(60, seed=6),
    )
    place, false = 4, 2
    assert ladder.smallest_noticed("lesion at an impossible place", place) in (0.1, 0.25)
    assert ladder.smallest_noticed("lesion at a plausible place", place) is None
    assert ladder.smallest_noticed("lesion at a plausible place", false) in (0.1, 0.25)
    assert ladder.control is not None
    assert ladder.control.sets == 3


def test_labels_are_read_against_the_truth() -> None:
    of = heads(6)
    binary = Cohort(of.images, tissues=of.lesion.long() if of.lesion is not None else None)
    measure = LabelReadings(bright_reader(), [Dice(1, "lesion")])
    values = measure.rows(binary)[:, 0]
    assert values[::2].tolist() == pytest.approx([1.0] * 3)
    assert values[1::2].isnan().all()
    (judge,) = measure.judges(["dice of lesion"], "a reader")
    assert judge.value(measure.rows(binary)) == pytest.approx(1.0)
    assert (judge.level, judge.direction, judge.unit) == ("clinical", "up", "1")


def test_a_reader_learns_lesions_and_a_blind_one_their_look() -> None:
    training, of = heads(40, seed=7), heads(16, seed=8)
    templates = lesion_templates(training)
    planted = InsertedLesion(templates, "impossible").applies(of, 1.0, numpy_stream(9))
    assert planted.planted is not None
    seen = {}
    for name, anywhere in (("patients", ()), ("blind", templates)):
        reader = trained_reader(
            training, (0.0, 2.0), lesion=3, anywhere=anywhere, steps=60, width=8, seed=1
        )
        labels = reader.read(of.images)
        right = (labels == of.tissues).double().mean()
        assert float(right) > 0.8, name
        seen[name] = float((reader.read(planted.images) == 3)[planted.planted].double().mean())
    assert seen["blind"] > 0.8
    again = trained_reader(training, (0.0, 2.0), lesion=3, steps=3, width=8, seed=1)
    other = trained_reader(training, (0.0, 2.0), lesion=3, steps=3, width=8, seed=1)
    for one, two in zip(again.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(one, two)
    with pytest.raises(InputError, match="a lesion class from 0 to 3"):
        trained_reader(training, (0.0, 2.0), lesion=4)
    with pytest.raises(InputError, match="'tissues'"):
        trained_reader(Cohort(of.images), (0.0, 2.0), lesion=1)


def test_readers_of_classes_and_of_sides() -> None:
    rng = np.random.default_rng(0)

    def chests(n: int) -> Cohort:
        images = torch.from_numpy(rng.normal(0.5, 0.05, (n, 1, 12, 12))).float()
        label = torch.arange(n) % 2
        images[label == 1, :, 2:5, 4:8] += 0.3
        images[..., 6:10, 8:11] += 0.3  # the heart
        return Cohort(images, label=label)

    training, of = chests(40), chests(20)
    classes = ClassReadings(training, (0.0, 1.0))
    rows = classes.rows(of)
    assert (rows[:, 1] == 1).all()
    values = {judge.name: judge.value(rows) for judge in classes.judges("")}
    assert values["auc"] == pytest.approx(1.0)
    assert values["mean chance of class 1"] == pytest.approx(0.5, abs=0.05)
    sides = SideReadings(training, (0.0, 1.0))
    judge = sides.judge("")
    assert judge.value(sides.rows(of)) > 0.95
    mirrored = Mirrored().applies(of, 1.0, numpy_stream(0)).images
    assert judge.value(sides.rows(of.showing(mirrored))) < 0.05
    with pytest.raises(InputError, match="'label'"):
        ClassReadings(Cohort(of.images), (0.0, 1.0))


def test_the_penalty_of_a_reader_is_chosen_on_other_patients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parted: list[np.ndarray] = []
    chosen = LogisticRegression.fit_chosen

    def seen(rows: Any, labels: Any, n_classes: int, held_out: Any) -> LogisticRegression:
        parted.append(held_out)
        return chosen(rows, labels, n_classes, held_out)

    monkeypatch.setattr(LogisticRegression, "fit_chosen", seen)
    images = torch.rand(24, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    patients = tuple(f"p{k // 3}" for k in range(24))  # three images each
    training = Cohort(images, patients, label=torch.arange(24) % 2)
    ClassReadings(training, (0.0, 1.0))
    SideReadings(training, (0.0, 1.0))
    assert len(parted) == 2
    for held_out in parted:
        of_patient = held_out.reshape(-1, 3)
        assert (of_patient == of_patient[:, :1]).all(), "no patient is on both sides"
        assert 0 < held_out.sum() < len(held_out)


def test_digital_patients_are_scanned_twice_and_once_without_lesions() -> None:
    patients = DigitalPatients(n=4, size=(48, 48), seed=3, contrasts=("flair",), lesions="tumour")
    of = digital_cohort(patients)
    for name in ("reference", "healthy", "mask", "lesion", "possible", "tissues"):
        assert getattr(of, name) is not None, name
    assert of.reference is not None
    assert of.healthy is not None
    assert of.lesion is not None
    assert of.possible is not None
    assert of.tissues is not None
    assert not torch.equal(of.images, of.reference)
    # the two scans differ by noise alone, whose deviation is 0.02 to 0.03
    assert float((of.images - of.reference).std()) < 0.06
    bearing = of.lesion.flatten(1).any(dim=1)
    assert bool(bearing.any())
    bright = (of.images - of.healthy)[of.lesion]
    assert float(bright.mean()) > 0.2
    without = ~bearing
    assert torch.equal(of.images[without], of.healthy[without])
    assert not bool((of.lesion & ~of.possible).any())
    assert torch.equal(of.tissues == CLASSES.index("lesion"), of.lesion)
    assert of.spacing_mm == pytest.approx((4.5, 4.5, 4.5))
    once = digital_cohort(patients, repeated=False)
    assert torch.equal(once.images, of.reference)
    assert once.reference is None
    assert not math.isnan(float(once.images.mean()))
