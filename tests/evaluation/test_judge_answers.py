"""Judgements of label maps and classes whose quality is known beforehand."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from vesalius.anatomy import DigitalPatients
from vesalius.core.call import Call
from vesalius.core.record import Record
from vesalius.data.source import Case
from vesalius.data.split import SplitRule
from vesalius.evaluation.judge import TRUE_CHANCE, Judgements, error, judge, spread
from vesalius.recipes.embedded import class_of_slice, tissues_of_slice
from vesalius.tasks.task import Task

CONTEXT = Record("ours", "t", "digital", "p", "", "cost", "", "down", 0.0, fingerprint="f")


@pytest.fixture(scope="module")
def segmentation() -> Task:
    source = Call(DigitalPatients, n=24, size=(32, 32), contrasts=("t1",))
    task: Task = tissues_of_slice().replace(source=source, matrix=(32, 32)).build()
    return task


@pytest.fixture(scope="module")
def classification() -> Task:
    source = Call(DigitalPatients, n=30, size=(16, 16), contrasts=("t1",))
    call = class_of_slice().replace(source=source, matrix=(16, 16), rule=Call(SplitRule, test=0.5))
    task: Task = call.build()
    assert len({case.covariates["over_60"] for case in task.split["test"]}) == 2
    return task


def truth(task: Task, case: Case) -> Tensor:
    wanted = task.test_case(case).wanted
    assert wanted is not None
    return wanted


@pytest.fixture(scope="module")
def perfect(segmentation: Task) -> Judgements:
    """Of true label maps."""
    return judge(segmentation, lambda _, case: truth(segmentation, case), CONTEXT)


@pytest.fixture(scope="module")
def leaning(classification: Task) -> Judgements:
    """Of two draws, whose mean gives the true class seven tenths."""

    def draws(_: str, case: Case) -> Tensor:
        right = truth(classification, case)
        return torch.cat([0.8 * right + 0.2 * (1 - right), 0.6 * right + 0.4 * (1 - right)])

    return judge(classification, draws, CONTEXT)


def test_the_true_label_map_is_perfect_and_beats_the_atlas(
    segmentation: Task, perfect: Judgements
) -> None:
    names = [metric.name for metric in segmentation.judgement.metrics]
    assert "grey matter dice" in names
    own = {r.metric: r for r in perfect.records if r.recipe == "ours" and r.group == "test"}
    assert list(own) == names, "no features of label maps"
    assert {own[name].value for name in names if name.endswith("dice")} == {1.0}
    assert {own[name].value for name in names if name.endswith("hd95")} == {0.0}
    assert own["dice"].baseline == "atlas"
    assert own["dice"].baseline_value is not None
    assert 0 < own["dice"].baseline_value < 0.95
    assert own["hd95"].unit == "mm"
    shifted = [record for record in perfect.records if record.group == "shifted"]
    assert len(shifted) == 2 * len(names), "of the recipe and of the atlas"
    assert perfect.warnings == ()


def test_the_mean_is_over_the_classes_of_a_case(segmentation: Task, perfect: Judgements) -> None:
    values = perfect.by_partition["test"].values
    classes = [values[f"{name} dice"]["atlas"] for name in segmentation.judgement.labels[1:]]
    for place, mean in enumerate(values["dice"]["atlas"]):
        assert mean == pytest.approx(sum(one[place] for one in classes) / len(classes))


def test_errors_and_uncertainty_of_labels_count_voxels(segmentation: Task) -> None:
    case = segmentation.split["test"][0]
    right = truth(segmentation, case)
    wrong = right.roll(1, dims=1)  # every voxel another class
    draws = torch.cat([right, right, wrong])
    apart = spread(segmentation, draws)
    assert apart.shape == (1, 1, 32, 32)
    assert torch.allclose(apart, torch.tensor(1 / 3, dtype=torch.float64))
    labels = segmentation.judged(right)
    assert float(error(segmentation, segmentation.judged(wrong), labels).mean()) == 1
    assert float(error(segmentation, labels, labels).mean()) == 0
    assert float(spread(segmentation, right).sum()) == 0


def test_several_draws_of_a_segmenter_are_judged(segmentation: Task) -> None:
    case = segmentation.split["test"][0]
    one = dataclasses.replace(segmentation.split, partitions={
        "train": segmentation.split["train"], "test": (case,)
    })  # fmt: skip
    segmentation.__dict__["split"], kept = one, segmentation.split
    try:
        right = truth(segmentation, case)
        noisy = torch.cat([right, right, right.roll(3, dims=-1)])
        judged = judge(segmentation, lambda *_: noisy, CONTEXT)
    finally:
        segmentation.__dict__["split"] = kept
    own = {record.metric: record for record in judged.records if record.recipe == "ours"}
    assert own["dice"].value == 1.0, "two of three are right"
    assert own["dice of one draw"].value == 1.0


def test_the_true_class_is_perfect_over_the_whole_test_set(
    classification: Task, leaning: Judgements
) -> None:
    own = {r.metric: r for r in leaning.records if r.recipe == "ours"}
    assert list(own) == [metric.name for metric in classification.judgement.tables]
    found = [own[name].value for name in ("auc", "accuracy", "sensitivity", "specificity")]
    assert found == [1, 1, 1, 1]
    assert own["calibration_error"].value == pytest.approx(0.3)
    assert own["auc"].baseline == "logistic regression"
    assert own["auc"].n == len(classification.split["test"])


def test_chances_of_every_case_are_those_of_the_mean_of_its_draws(
    classification: Task, leaning: Judgements
) -> None:
    values = leaning.by_partition["test"].values
    n = len(classification.split["test"])
    assert values[TRUE_CHANCE]["ours"] == pytest.approx([0.7] * n)
    labels = [float(case.covariates["over_60"]) for case in classification.split["test"]]
    assert values["true class"]["reference"] == labels
    expected = [0.7 if label else 0.3 for label in labels]
    assert values["probability of over 60"]["ours"] == pytest.approx(expected)
    classes = [f"probability of {label}" for label in classification.judgement.labels]
    for chances in zip(*(values[name]["logistic regression"] for name in classes), strict=True):
        assert sum(chances) == pytest.approx(1)
