"""Downstream studies: their arms, their scores on known answers, and going on after a stop."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius import recipes
from vesalius.anatomy import DigitalPatients
from vesalius.core.batch import Batch
from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays, write_arrays
from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.data.split import SplitRule
from vesalius.evaluation.classification_study import ClassificationStudy
from vesalius.evaluation.downstream import (
    StudyArm,
    downstream_study,
    draw_baseline,
    study_arms,
)
from vesalius.evaluation.segmentation_study import SegmentationStudy
from vesalius.evaluation.study import Study
from vesalius.generative.system import System
from vesalius.metrics.clinical.auc import AUC
from vesalius.recipes.tiny import tiny
from vesalius.tasks.arm import Arm, ArmTask
from vesalius.tasks.classification import ClassificationFrom
from vesalius.tasks.segmentation import SegmentationFrom
from vesalius.tasks.task import Task
from vesalius.training.fit import Engine, Loop

CPU = Engine("cpu")
CONTEXT = Record("ours", "t", "digital", "p", "", "cost", "", "down", 0.0, fingerprint="f")
SPACING_MM = 216 / 32


def synthesis_call(recipe: str, n: int) -> Call:
    """The task of a tiny recipe; its study has one seed, one fraction and two steps."""
    call = tiny(recipes.get(recipe)).task
    source = Call(DigitalPatients, n=n, size=(32, 32))
    return call.replace(source=source, study=call.arguments["study"].replace(steps=2))


@pytest.fixture(scope="module")
def heads() -> Call:
    return synthesis_call("spade-gan", 12)


@pytest.fixture(scope="module")
def classes() -> Call:
    # both classes are among training and test patients
    return synthesis_call("class-diffusion", 20).replace(rule=Call(SplitRule, test=0.3))


def arm_of(kind: type[ArmTask], base: Task, arm: Arm, fraction: float, drawn: Path | None) -> Any:
    return kind(  # type: ignore[call-arg]
        name="arm",
        phase="diagnosis",
        question="",
        source=base.source,
        rule=base.rule,
        base=base,
        arm=arm,
        fraction=fraction,
        drawn=None if drawn is None else str(drawn),
    )


def draw_all(task: Task, folder: Path, value: float | None = None) -> Path:
    """Drawings of every training case: all ``value``, or the real image with a bright corner."""
    for case in task.split["train"]:
        wanted = task.test_case(case).wanted
        assert wanted is not None
        image = torch.full_like(wanted, value) if value is not None else wanted.clone()
        image[..., 0, 0] = 1.0
        write_arrays(folder / f"{case.identifier}.npz", draws=image.numpy())
    return folder


def test_the_arms_of_a_study() -> None:
    drawn = {"diffusion": "/a", "painting": "/b"}
    assert study_arms((0.1, 1.0), drawn) == (
        StudyArm("10 % real", "real", 0.1),
        StudyArm("10 % real + diffusion", "both", 0.1, "/a"),
        StudyArm("100 % real", "real", 1.0),
        StudyArm("100 % real + diffusion", "both", 1.0, "/a"),
        StudyArm("diffusion alone", "synthetic", 1.0, "/a"),
        StudyArm("painting alone", "synthetic", 1.0, "/b"),
    )


def test_the_control_arms_of_a_study() -> None:
    drawn = {"diffusion": "/a", "painting": "/b"}
    arms = study_arms((0.1,), drawn, ("plain", "balanced", "double"))
    assert arms == (
        StudyArm("10 % real", "real", 0.1),
        StudyArm("10 % real, not augmented", "real", 0.1, augment=False),
        StudyArm("10 % real, oversampled", "balanced", 0.1),
        StudyArm("10 % real + diffusion", "both", 0.1, "/a"),
        StudyArm("10 % real + 2 x diffusion", "both", 0.1, "/a", real_share=1 / 3),
        StudyArm("diffusion alone", "synthetic", 1.0, "/a"),
        StudyArm("painting alone", "synthetic", 1.0, "/b"),
    )


def test_a_balanced_arm_draws_rare_classes_as_often(classes: Call) -> None:
    base: Any = classes.build()
    arms = (arm_of(ClassificationFrom, base, "balanced", k / 12, None) for k in range(5, 13))
    task = next(arm for arm in arms if len({len(cases) for cases in arm.by_class}) == 2)
    train = task.split["train"]
    assert sum(map(len, task.by_class)) == len(train)
    rng = np.random.default_rng(0)
    wanted = [int(task.load(train[0], rng).wanted.argmax()) for _ in range(400)]
    assert abs(np.mean(wanted) - 0.5) < 0.1
    test = task.split["test"][0]  # only training images give way to others
    for _ in range(5):
        assert task.load(test, rng).cases == (test.identifier,)


def test_classes_are_needed_to_oversample(heads: Call) -> None:
    base: Any = heads.build()
    task = arm_of(SegmentationFrom, base, "balanced", 1.0, None)
    with pytest.raises(InputError, match="a task with classes"):
        task.load(task.split["train"][0], np.random.default_rng(0))


def test_an_arm_without_augmentation_shows_images_as_they_are(classes: Call) -> None:
    base: Any = classes.build()
    plain = dataclasses.replace(arm_of(ClassificationFrom, base, "real", 1.0, None), augment=False)
    moved = arm_of(ClassificationFrom, base, "real", 1.0, None)
    case = plain.split["train"][0]
    images = [
        task.load(case, np.random.default_rng(seed), augment=True).given
        for task in (plain, moved)
        for seed in (0, 1)
    ]
    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[2], images[3])


class Counted:
    """Counts the trainings that were started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n = 0
        real = Loop.run

        def counted(loop: Loop) -> Any:
            self.n += 1
            return real(loop)

        monkeypatch.setattr(Loop, "run", counted)


ARMS = ("100 % real", "100 % real + ours", "ours alone", "painting alone")
CONTROLS = {"100 % real + ours": "100 % real", "ours alone": "painting alone"}


def studied(call: Call, folder: Path, **more: Any) -> list[Record]:
    task: Task = call.build()
    if not (folder / "ours").exists():
        draw_all(task, folder / "ours")
        baseline = next(iter(task.baselines(task.test_case(task.split["train"][0]))))
        draw_baseline(task, baseline, folder / "baseline")
    drawn = {"ours": str(folder / "ours"), "painting": str(folder / "baseline")}
    return downstream_study(call, drawn, folder / "study", CONTEXT, engine=CPU, **more)


def require_case_records(records: list[Record], study: Study, task: Task) -> None:
    patients = {case.patient for case in task.split["test"]}
    names = [score.name for score in study.scores]
    chosen = [record for record in records if record.metric in names]
    assert [(r.metric, r.group) for r in chosen] == [(n, arm) for n in names for arm in ARMS]
    for record in chosen:
        assert record.level == "clinical"
        assert record.n <= len(patients)
        assert record.fingerprint == "f"
        assert record.protocol == f"p; a {study.trained} trained per arm"
        assert record.baseline == CONTROLS.get(record.group)
        if record.baseline is not None:
            control = next(
                r for r in chosen if (r.metric, r.group) == (record.metric, record.baseline)
            )
            assert record.baseline_value == pytest.approx(control.value, nan_ok=True)
            assert record.p_value is not None


def test_a_segmentation_study_ends_and_is_not_trained_twice(
    heads: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings = Counted(monkeypatch)
    asked: list[int] = []

    def in_the_second_arm() -> bool:
        asked.append(1)
        return len(asked) > 3  # two steps of the first arm, one of the second

    assert studied(heads, tmp_path, stop=in_the_second_arm) == []
    assert trainings.n == 2
    done = sorted(path.parent.parent.name for path in tmp_path.glob("study/*/*/scores.npz"))
    assert done == ["100-percent-real"]
    told: list[tuple[str, int, int]] = []
    records = studied(heads, tmp_path, watch=lambda *found: told.append(found))
    assert trainings.n == 2 + 3, "the finished arm is not trained again"
    assert told == [(f"{arm}, seed 0", k, 4) for k, arm in enumerate(ARMS)]
    require_case_records(records, SegmentationStudy(), heads.build())
    assert len(records) == 2 * len(ARMS)
    assert repr(studied(heads, tmp_path)) == repr(records)
    assert trainings.n == 5, "nothing is trained when all scores are there"


def test_a_classification_study_ends_with_a_table_of_its_own(
    classes: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings = Counted(monkeypatch)
    records = studied(classes, tmp_path)
    assert trainings.n == len(ARMS)
    require_case_records(records, ClassificationStudy(), classes.build())
    tables = [record for record in records if record.metric == "downstream auc"]
    assert [record.group for record in tables] == list(ARMS)
    assert len(records) == 4 * len(ARMS)
    for record in tables:
        place = record.group.replace(" ", "-").replace("%", "percent")
        saved = read_arrays(tmp_path / "study" / place / "seed-0" / "scores.npz")
        expected = AUC().value(
            torch.from_numpy(saved["probability"]), torch.from_numpy(saved["truth"])
        )
        assert 0 <= record.value <= 1
        assert record.value == pytest.approx(expected)
        assert (record.direction, record.level) == ("up", "clinical")
        assert record.baseline == CONTROLS.get(record.group)
        if record.baseline is not None:
            control = next(other for other in tables if other.group == record.baseline)
            assert record.baseline_value == control.value
            assert "paired bootstrap by patient, Holm over 4" in record.note
    assert repr(studied(classes, tmp_path)) == repr(records)
    assert trainings.n == len(ARMS)


def test_metrics_of_the_test_set_are_means_over_seeds_with_paired_tests(
    classes: Call, tmp_path: Path
) -> None:
    call = classes.replace(
        source=Call(DigitalPatients, n=60, size=(32, 32)),
        study=classes.arguments["study"].replace(seeds=2),
    )
    cases = call.build().split["test"]
    truth = np.arange(len(cases)) % 2
    rng = numpy_stream(0, "scores")
    areas: dict[str, float] = {}
    for arm in ARMS:
        found = []
        for seed in range(2):
            chance = rng.random(len(cases))
            if arm == "100 % real + ours":
                chance = 0.1 * chance + 0.9 * truth  # both seeds know, but for one case
                chance[seed] = 1 - truth[seed]
            elif arm == "100 % real":
                chance = 0.1 * chance + 0.9 * (truth if seed else 1 - truth)  # one knows, one errs
            place = tmp_path / "study" / arm.replace(" ", "-").replace("%", "percent")
            scores = {"downstream true-class probability": chance, "downstream accuracy": chance}
            write_arrays(
                place / f"seed-{seed}" / "scores.npz",
                **scores, probability=chance, truth=truth.astype(float),
            )  # fmt: skip
            found.append(AUC().value(torch.from_numpy(chance), torch.from_numpy(truth)))
        areas[arm] = float(np.mean(found))
    drawn = {"ours": "a", "painting": "b"}
    records = downstream_study(call, drawn, tmp_path / "study", CONTEXT, engine=CPU)
    of_arm = {r.group: r for r in records if r.metric == "downstream auc"}
    assert {arm: record.value for arm, record in of_arm.items()} == pytest.approx(areas)
    assert areas["100 % real"] == 0.5, "the mean of the seeds' probabilities would be near chance"
    better = of_arm["100 % real + ours"]
    assert (better.baseline, better.baseline_value) == ("100 % real", 0.5)
    assert better.p_value is not None
    assert better.p_value < 0.05
    assert better.note.endswith("paired bootstrap by patient, Holm over 4")
    assert of_arm["100 % real"].p_value is None


def test_only_tasks_with_a_study_have_one(tmp_path: Path) -> None:
    task = tiny(recipes.get("unet-regression")).task
    with pytest.raises(InputError, match="a task with a downstream study"):
        downstream_study(task, {"ours": "a", "painting": "b"}, tmp_path, CONTEXT, engine=CPU)


KINDS = (("heads", SegmentationFrom), ("classes", ClassificationFrom))


@pytest.mark.parametrize(("fixture", "kind"), KINDS)
@pytest.mark.parametrize("fraction", [0.2, 1.0])
def test_half_of_what_both_load_is_real_whatever_the_fraction(
    fixture: str,
    kind: type[ArmTask],
    fraction: float,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    base: Task = request.getfixturevalue(fixture).build()
    task = arm_of(kind, base, "both", fraction, draw_all(base, tmp_path / "drawn", value=-7.0))
    cases = task.split["train"]
    assert cases == base.split["train"]
    rng = numpy_stream(0, "test")
    real: list[str] = []
    n = 300
    for k in range(n):
        case = cases[k % len(cases)]
        batch = task.load(case, rng)
        assert batch.given is not None
        if float(batch.given.min()) == -7.0:
            assert batch.cases == (case.identifier,), "a drawing goes with its own condition"
        else:
            real += batch.cases
    assert abs(len(real) - n / 2) < 4 * math.sqrt(n) / 2  # four standard deviations
    allowed = {case.identifier for case in task.real}
    assert set(real) == allowed
    patients = {case.patient for case in base.split["train"]}
    assert len({case.patient for case in task.real}) == round(fraction * len(patients))


@pytest.mark.parametrize(("fixture", "kind"), KINDS)
def test_arms_see_what_they_are_named_after_and_are_tested_on_real_cases(
    fixture: str, kind: type[ArmTask], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    base: Task = request.getfixturevalue(fixture).build()
    folder = draw_all(base, tmp_path / "drawn", value=-7.0)
    for arm in ("real", "synthetic", "both"):
        task = arm_of(kind, base, arm, 0.5, None if arm == "real" else folder)
        for partition in ("test", "validation"):
            assert task.split[partition] == base.split[partition]
            for case in task.split[partition]:
                given, wanted = task.test_case(case).given, base.test_case(case).wanted
                assert given is not None
                assert wanted is not None
                assert torch.equal(given, wanted)
        if arm == "both":
            continue
        rng = numpy_stream(0, "test")
        lowest = [float(task.load(case, rng).given.min()) for case in task.split["train"]]
        assert {value == -7.0 for value in lowest} == {arm == "synthetic"}
    assert len(arm_of(kind, base, "real", 0.5, None).split["train"]) < len(base.split["train"])
    with pytest.raises(InputError, match="a folder of drawn images"):
        _ = arm_of(kind, base, "synthetic", 1.0, None).split


class Oracle(System):
    """A system whose drawings are known beforehand."""

    answer: Callable[[Batch], Tensor]

    def draw(self, batch: Batch, size: tuple[int, ...], *, draws: int = 1, seed: int = 0) -> Tensor:
        return self.answer(batch)[None]


def oracle(study: Study, task: ArmTask, answer: Callable[[Batch], Tensor]) -> System:
    built = System.build(study.recipe(Call(DigitalPatients), 1), task.shape, 0)
    made = Oracle(**{item.name: getattr(built, item.name) for item in dataclasses.fields(built)})
    object.__setattr__(made, "answer", answer)
    return made


def truth_of(batch: Batch) -> Tensor:
    assert batch.wanted is not None
    return batch.wanted


def test_scores_of_known_segmentations(heads: Call) -> None:
    study = SegmentationStudy()
    task = arm_of(SegmentationFrom, heads.build(), "real", 1.0, None)
    found = study.test(oracle(study, task, truth_of), task)
    assert found["downstream dice"].tolist() == [1.0] * len(task.split["test"])
    assert found["downstream hd95"].tolist() == [0.0] * len(task.split["test"])

    def moved(batch: Batch) -> Tensor:
        return truth_of(batch).roll(1, dims=-1)

    found = study.test(oracle(study, task, moved), task)
    assert ((found["downstream dice"] > 0) & (found["downstream dice"] < 1)).all()
    # no border moves further than the image does
    assert ((found["downstream hd95"] > 0) & (found["downstream hd95"] <= SPACING_MM)).all()

    def background(batch: Batch) -> Tensor:
        return torch.zeros_like(truth_of(batch)).index_fill_(1, torch.tensor([0]), 1.0)

    found = study.test(oracle(study, task, background), task)
    assert found["downstream dice"].tolist() == [0.0] * len(task.split["test"])


def test_scores_of_known_classifications(classes: Call) -> None:
    study = ClassificationStudy()
    task = arm_of(ClassificationFrom, classes.build(), "real", 1.0, None)

    def answer(batch: Batch) -> Tensor:
        """0.7 for the last class, whatever comes."""
        return torch.tensor([[0.3, 0.7]]).repeat(len(batch.cases), 1)

    found = study.test(oracle(study, task, answer), task)
    over_60 = np.asarray([case.covariates["over_60"] for case in task.split["test"]])
    assert set(over_60) == {0.0, 1.0}
    assert found["truth"].tolist() == over_60.tolist()
    assert found["downstream accuracy"].tolist() == over_60.tolist()
    expected = np.where(over_60 == 1, 0.7, 0.3)
    assert found["downstream true-class probability"] == pytest.approx(expected)
    assert found["probability"] == pytest.approx(np.full(len(over_60), 0.7))


def test_area_under_the_curve_by_hand() -> None:
    probability, truth = np.asarray([0.1, 0.4, 0.35, 0.8]), np.asarray([0.0, 0.0, 1.0, 1.0])
    found = {
        "probability": np.stack([probability, 1 - probability]),
        "truth": np.stack([truth] * 2),
    }
    tables = ClassificationStudy().tables(found)
    assert list(tables) == ["downstream auc", "downstream sensitivity"]
    metric, scores, labels = tables["downstream auc"]
    # of four pairs only (0.35, 0.4) is in the wrong order; the second seed says the opposite
    areas = [metric.value(torch.from_numpy(row), torch.from_numpy(labels)) for row in scores]
    assert areas == [0.75, 0.25]
    assert SegmentationStudy().tables({}) == {}
