"""Metrics of labels by name and on average, and the points of a ROC curve."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.metrics.clinical import AUC, HD95, CalibrationError, Dice
from vesalius.metrics.clinical.auc import operating_points
from vesalius.metrics.clinical.of_labels import MeanOverLabels, OfLabel
from vesalius.metrics.clinical.protocols import classification_measures, segmentation_measures

TRUTH = torch.tensor([[[[1, 1, 0, 2]]], [[[1, 1, 0, 0]]]])
FOUND = torch.tensor([[[[1, 0, 0, 2]]], [[[1, 1, 1, 0]]]])


def test_a_metric_under_its_label() -> None:
    inner = Dice(1, "anterior")
    metric = OfLabel(inner)
    assert metric.name == "anterior dice"
    assert (metric.level, metric.direction, metric.unit) == ("clinical", "up", "1")
    assert torch.equal(metric.statistic(FOUND, TRUTH), inner.statistic(FOUND, TRUTH))
    assert inner.name == Dice.name == "dice", "the metric itself keeps its name"


def test_the_mean_leaves_out_labels_that_a_case_has_not() -> None:
    metric = MeanOverLabels((Dice(1, "a"), Dice(2, "b")))
    assert metric.name == "dice"
    # label 1: 2/3 and 4/5; label 2: 1 and in neither map
    assert metric.statistic(FOUND, TRUTH).tolist() == pytest.approx([(2 / 3 + 1) / 2, 0.8])
    empty = torch.zeros_like(TRUTH)
    assert all(math.isnan(value) for value in metric.statistic(empty, empty).tolist())
    distances = MeanOverLabels((HD95(1, "a", (1.0, 2.0)), HD95(2, "b", (1.0, 2.0))))
    assert distances.unit == "mm"
    # 95th percentiles of one voxel that is 2 mm off among surfaces of two and one voxels
    assert distances.statistic(FOUND, TRUTH)[0] == pytest.approx((1.9 + 0) / 2)
    with pytest.raises(InputError, match="one kind of metric"):
        MeanOverLabels((Dice(1, "a"), HD95(2, "b", (1.0, 1.0))))


def test_what_segmenters_and_classifiers_are_measured_by() -> None:
    names = [metric.name for metric in segmentation_measures(("a", "b"), (1.0, 1.0))]
    assert names == ["dice", "hd95", "a dice", "b dice", "a hd95", "b hd95"]
    of_two, of_three = (
        {metric.name for metric in classification_measures(n_classes)} for n_classes in (2, 3)
    )
    assert of_two - of_three == {"sensitivity", "specificity"}


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=30))
def test_the_area_under_the_points_is_the_auc(cases: list[tuple[int, bool]]) -> None:
    scores = torch.tensor([score / 6 for score, _ in cases], dtype=torch.float64)
    labels = torch.tensor([int(positive) for _, positive in cases])
    if len(set(labels.tolist())) < 2:
        return
    false, true = operating_points(scores, labels == 1)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (false.diff() >= 0).all()
    assert (true.diff() >= 0).all()
    area = float(torch.trapezoid(true, false))
    assert area == pytest.approx(AUC().value(scores, labels), abs=1e-12)


def test_points_of_the_curve_by_hand_and_of_many_cases() -> None:
    scores = torch.tensor([0.9, 0.6, 0.6, 0.1])
    false, true = operating_points(scores, torch.tensor([True, False, True, False]))
    assert false.tolist() == [0, 0, 0.5, 1]
    assert true.tolist() == [0, 0.5, 1, 1]
    none, all_of_them = operating_points(scores, torch.ones(4, dtype=torch.bool))
    assert none.isnan().all()
    assert all_of_them.tolist() == [0, 0.25, 0.75, 1]
    # a table of every case against every threshold would have 10^11 entries
    n = 300_000
    order = torch.arange(n, dtype=torch.float64)
    false, true = operating_points(order, order >= n / 2)
    assert len(false) == n + 1
    assert float(torch.trapezoid(true, false)) == pytest.approx(1.0)


def test_reliability_by_hand() -> None:
    scores = torch.tensor([0.1, 0.3, 0.9])
    labels = torch.tensor([0, 1, 1])
    metric = CalibrationError(bins=2)
    said, frequency, count = metric.reliability(scores, labels)
    assert said.tolist() == pytest.approx([0.2, 0.9])
    assert frequency.tolist() == [0.5, 1.0]
    assert count.tolist() == [2, 1]
    assert metric.value(scores, labels) == pytest.approx((2 * 0.3 + 0.1) / 3)
