"""Metrics of a table of scores against hand-worked values, scikit-learn and torchmetrics."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from torchmetrics.functional.classification import (
    binary_calibration_error,
    multiclass_calibration_error,
)

from vesalius.core.errors import InputError
from vesalius.metrics.clinical import (
    AUC,
    Accuracy,
    CalibrationError,
    Sensitivity,
    Specificity,
    TableMetric,
)

SCORES = torch.tensor([0.1, 0.5, 0.5, 0.9, 0.3])
LABELS = torch.tensor([0, 0, 1, 1, 1])
ALL: tuple[TableMetric, ...] = (AUC(), Accuracy(), CalibrationError(), Sensitivity(), Specificity())


def table(seed: int, n: int, labels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores with ties, and one case of each label at least."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randint(0, labels, (n,), generator=generator)
    truth[:labels] = torch.arange(labels)
    logits = torch.randn(n, labels, generator=generator) + torch.nn.functional.one_hot(
        truth, labels
    )
    scores = torch.softmax((logits * 4).round() / 4, dim=1)
    return (scores[:, 1] if labels == 2 else scores).double(), truth


def test_by_hand() -> None:
    # of 2 x 3 pairs the positive one wins 4, draws 1 and loses 1
    assert AUC().value(SCORES, LABELS) == pytest.approx(4.5 / 6)
    assert Accuracy().value(SCORES, LABELS) == pytest.approx(3 / 5)
    assert Sensitivity().value(SCORES, LABELS) == pytest.approx(2 / 3)
    assert Specificity().value(SCORES, LABELS) == pytest.approx(1 / 2)
    assert Sensitivity(operating_point=0.3).value(SCORES, LABELS) == 1.0
    assert Specificity(operating_point=0.6).value(SCORES, LABELS) == 1.0
    # one bin: mean score 0.46, three of five are positive
    assert CalibrationError(bins=1).value(SCORES, LABELS) == pytest.approx(0.6 - 0.46)
    # bins [0, 0.5) and [0.5, 1]: |0.4 - 1| and |1.9 - 2| of five
    assert CalibrationError(bins=2).value(SCORES, LABELS) == pytest.approx((0.6 + 0.1) / 5)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(4, 60))
def test_binary_against_scikit_learn(seed: int, n: int) -> None:
    scores, labels = table(seed, n, 2)
    x, y = scores.numpy(), labels.numpy()
    assert AUC().value(scores, labels) == pytest.approx(roc_auc_score(y, x))
    assert Accuracy().value(scores, labels) == pytest.approx(accuracy_score(y, x >= 0.5))
    assert Sensitivity().value(scores, labels) == pytest.approx(recall_score(y, x >= 0.5))
    assert Specificity().value(scores, labels) == pytest.approx(
        recall_score(y, x >= 0.5, pos_label=0)
    )
    # a score and its complement for the complementary label
    assert AUC().value(1 - scores, 1 - labels) == pytest.approx(AUC().value(scores, labels))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), labels=st.integers(3, 5))
def test_several_labels_against_scikit_learn(seed: int, labels: int) -> None:
    scores, truth = table(seed, 40, labels)
    x, y = scores.numpy(), truth.numpy()
    assert AUC().value(scores, truth) == pytest.approx(roc_auc_score(y, x, multi_class="ovr"))
    assert Accuracy().value(scores, truth) == pytest.approx(accuracy_score(y, x.argmax(1)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bins", [5, 15])
def test_calibration_against_torchmetrics(seed: int, bins: int) -> None:
    metric = CalibrationError(bins=bins)
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(200, generator=generator, dtype=torch.float64)
    labels = (torch.rand(200, generator=generator) < scores**2).long()
    assert metric.value(scores, labels) == pytest.approx(
        binary_calibration_error(scores, labels, n_bins=bins).item(), abs=1e-6
    )
    many = torch.softmax(torch.randn(200, 4, generator=generator, dtype=torch.float64), dim=1)
    truth = torch.randint(0, 4, (200,), generator=generator)
    assert metric.value(many, truth) == pytest.approx(
        multiclass_calibration_error(many, truth, 4, n_bins=bins).item(), abs=1e-6
    )


def test_a_calibrated_classifier_has_little_error() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(200_000, generator=generator, dtype=torch.float64)
    labels = (torch.rand(200_000, generator=generator) < scores).long()
    assert CalibrationError().value(scores, labels) < 0.006
    assert CalibrationError().value(torch.ones(10), torch.zeros(10)) == 1.0


def test_not_defined_is_nan() -> None:
    empty = torch.zeros(0)
    for metric in ALL:
        assert math.isnan(metric.value(empty, empty.long()))
    negative = torch.zeros(4, dtype=torch.long)
    assert math.isnan(AUC().value(torch.rand(4), negative))
    assert math.isnan(Sensitivity().value(torch.rand(4), negative))
    assert math.isnan(Specificity().value(torch.rand(4), negative + 1))


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
@pytest.mark.parametrize(
    ("scores", "labels", "sentence"),
    [
        (SCORES, LABELS[:3], "labels of shape"),
        (SCORES + 1, LABELS, "row 1|between 0 and 1"),
        (torch.tensor([0.5, math.nan]), torch.tensor([0, 1]), "row 1: expected scores between"),
        (SCORES, LABELS + 1, "whole numbers from 0 to 1"),
        (SCORES, LABELS - 0.5, "whole numbers from 0 to 1"),
    ],
)
def test_what_is_refused(
    metric: TableMetric, scores: torch.Tensor, labels: torch.Tensor, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        metric.value(scores, labels)


def test_two_columns_need_a_choice() -> None:
    with pytest.raises(InputError, match="judge one label against the others"):
        Sensitivity().value(torch.full((4, 2), 0.5), torch.tensor([0, 1, 0, 1]))
