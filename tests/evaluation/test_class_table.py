"""Classifiers compared: against DeLong's closed form, and on what is known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.anatomy import DigitalPatients
from vesalius.core.errors import InputError
from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.class_table import ClassTable, compared_tables, table_records
from vesalius.evaluation.mean_over_seeds import MeanOverSeeds
from vesalius.evaluation.set_comparison import SetComparison
from vesalius.metrics.clinical import AUC, Accuracy
from vesalius.tasks.image_classification import ImageClassification

CONTEXT = Record("ours", "t", "d", "p", "", "cost", "", "down", 0.0)


def binormal(n: int, seed: int = 0) -> tuple[dict[str, Tensor], Tensor]:
    """Two classifiers of the same cases, which share half of their noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    shared = rng.standard_normal(n)

    def scores(strength: float) -> Tensor:
        logits = strength * labels + 0.7 * shared + 0.7 * rng.standard_normal(n)
        return torch.from_numpy(1 / (1 + np.exp(-logits)))

    return {"ours": scores(1.6), "other": scores(1.0)}, torch.from_numpy(labels)


def delong(scores: dict[str, Tensor], labels: Tensor) -> tuple[dict[str, float], np.ndarray]:
    """Areas and their covariance (DeLong et al., Biometrics 44:837, 1988), pair by pair."""
    positive, negative = labels.numpy() == 1, labels.numpy() == 0
    wins = {}
    for name, row in scores.items():
        ours, others = row.numpy()[positive][:, None], row.numpy()[negative][None]
        wins[name] = (ours > others) + 0.5 * (ours == others)
    of_positive = np.stack([won.mean(axis=1) for won in wins.values()])
    of_negative = np.stack([won.mean(axis=0) for won in wins.values()])
    covariance = np.cov(of_positive) / positive.sum() + np.cov(of_negative) / negative.sum()
    return {name: float(won.mean()) for name, won in wins.items()}, covariance


def compared(scores: dict[str, Tensor], labels: Tensor, n_boot: int = 600) -> SetComparison:
    patients = [f"p{k}" for k in range(len(labels))]
    rng = numpy_stream(0, "tables")
    return compared_tables(AUC(), scores, labels, patients, rng, n_boot=n_boot)


def test_areas_intervals_and_differences_are_those_of_delong() -> None:
    scores, labels = binormal(300)
    areas, covariance = delong(scores, labels)
    found = compared(scores, labels)
    for place, name in enumerate(areas):
        interval, error = found.intervals[name], math.sqrt(covariance[place, place])
        assert interval.value == pytest.approx(areas[name], abs=1e-12)
        assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    difference = found.difference("ours", "other")
    error = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert difference.value == pytest.approx(areas["ours"] - areas["other"], abs=1e-12)
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    z = difference.value / error
    assert abs(math.log10(difference.p_value / math.erfc(z / math.sqrt(2)))) < 0.5


def test_a_method_does_not_differ_from_itself() -> None:
    scores, labels = binormal(60)
    found = compared({"ours": scores["ours"], "same": scores["ours"]}, labels, n_boot=50)
    difference = found.difference("ours", "same")
    assert (difference.value, difference.p_value) == (0.0, 1.0)


def test_cases_of_one_patient_are_no_new_evidence() -> None:
    scores, labels = binormal(80)
    once = compared(scores, labels)
    twice = {name: row.repeat(3) for name, row in scores.items()}
    patients = [f"p{k}" for k in range(80)] * 3
    rng = numpy_stream(0, "tables")
    found = compared_tables(AUC(), twice, labels.repeat(3), patients, rng, n_boot=600)
    wide, same = (one.intervals["ours"] for one in (once, found))
    assert same.value == pytest.approx(wide.value)
    assert same.high - same.low == pytest.approx(wide.high - wide.low, rel=0.15)


def test_one_patient_has_no_interval() -> None:
    scores, labels = binormal(6)
    rng = numpy_stream(0, "tables")
    found = compared_tables(Accuracy(), scores, labels, ["p"] * 6, rng)
    assert math.isnan(found.intervals["ours"].low)
    assert math.isnan(found.difference("ours", "other").p_value)


def test_the_interval_of_an_accuracy_covers_the_truth() -> None:
    rng = numpy_stream(10, "table")
    patients = [f"p{k}" for k in range(80)]
    hits = 0
    for _ in range(100):
        labels = torch.from_numpy(rng.integers(0, 2, 80))
        right = torch.from_numpy(rng.random(80) < 0.8)
        scores = {"m": torch.where(right, labels, 1 - labels).double()}
        found = compared_tables(Accuracy(), scores, labels, patients, rng, n_boot=100)
        hits += found.intervals["m"].low <= 0.8 <= found.intervals["m"].high
    assert 0.87 <= hits / 100 <= 0.99
    with pytest.raises(InputError, match="one patient for each of 80 rows"):
        compared_tables(Accuracy(), scores, labels, patients[:3], rng)


def test_a_mean_over_seeds_is_not_the_metric_of_the_mean() -> None:
    # each seed puts one pair of four in the wrong order; their mean puts none
    labels = torch.tensor([0, 0, 1, 1])
    seeds = torch.tensor([[0.6, 0.0], [0.0, 0.6], [0.5, 0.9], [0.9, 0.5]], dtype=torch.float64)
    metric = MeanOverSeeds(AUC())
    assert metric.value(seeds, labels) == 0.75
    assert AUC().value(seeds.mean(1), labels) == 1.0
    assert (metric.name, metric.direction, metric.unit) == ("auc", "up", "1")
    assert math.isnan(metric.value(seeds, torch.ones(4)))


def test_scores_of_two_classes_are_those_of_the_last() -> None:
    table = ClassTable()
    table.add({"m": torch.tensor([[0.2, 0.8]])}, torch.tensor([[0.0, 1.0]]))
    table.add({"m": torch.tensor([[0.7, 0.3]])}, torch.tensor([[1.0, 0.0]]))
    assert table.scores("m").tolist() == pytest.approx([0.8, 0.3])
    assert table.labels.tolist() == [1, 0]
    three = ClassTable()
    three.add({"m": torch.tensor([[0.2, 0.5, 0.3]])}, torch.tensor([[0.0, 0.0, 1.0]]))
    assert three.scores("m").shape == (1, 3)
    assert three.labels.tolist() == [2]


@pytest.mark.parametrize("classes", [("no", "yes"), ("no", "some", "much")])
def test_every_metric_is_recorded_against_the_baseline(classes: tuple[str, ...]) -> None:
    task = ImageClassification(
        name="t", phase="diagnosis", question="?", source=DigitalPatients(n=4), classes=classes
    )
    rng, table = np.random.default_rng(0), ClassTable()
    n, k = 24, len(classes)
    for case in range(n):
        truth = torch.eye(k)[[case % k]]
        noise = torch.from_numpy(rng.dirichlet(np.ones(k)))[None]
        table.add({"ours": 0.6 * truth + 0.4 * noise, "theirs": noise}, truth)
    records = table_records(task, table, [f"p{case}" for case in range(n)], CONTEXT, 0)
    own = [record for record in records if record.recipe == "ours"]
    names = [metric.name for metric in task.judgement.tables]
    assert [record.metric for record in own] == names
    assert ("sensitivity" in names) == (k == 2)
    assert own[0].value == 1.0
    assert {record.baseline for record in own} == {"theirs"}
    assert {record.n for record in records} == {n}
    for record in own:
        assert record.low is not None
        assert record.high is not None
        assert record.low <= record.value <= record.high
        assert "paired bootstrap by patient, Holm over" in record.note
    assert own[0].p_value is not None
    assert own[0].p_value < 0.01
    others = [record for record in records if record.recipe == "theirs"]
    assert [record.value for record in others] == [record.baseline_value for record in own]
