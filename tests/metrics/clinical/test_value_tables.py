"""Regression, survival, calibration and feature agreement against other libraries and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, mean_absolute_error, r2_score

from vesalius.core.errors import InputError
from vesalius.metrics.clinical import (
    R2,
    BrierScore,
    CalibrationSlopeError,
    ConcordanceIndex,
    FeatureAgreement,
    PairedValuesMetric,
    RegressionMAE,
)
from vesalius.metrics.clinical.feature_agreement import intraclass_correlation

OBSERVED = torch.tensor([1.0, 2.0, 3.0, 6.0])
PREDICTED = torch.tensor([1.0, 3.0, 3.0, 5.0])
SHROUT_FLEISS = torch.tensor(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=torch.float64,
)
"""Six targets and four judges: table 2 of Shrout & Fleiss (1979)."""


def test_regression_by_hand() -> None:
    assert R2().value(PREDICTED, OBSERVED) == pytest.approx(1 - 2 / 14)
    mae = RegressionMAE(data_unit="years")
    assert mae.value(PREDICTED, OBSERVED) == 0.5
    assert mae.unit == "years"
    assert R2().value(OBSERVED, OBSERVED) == 1.0
    assert R2().value(torch.full((4,), 3.0), OBSERVED) == pytest.approx(0)  # the mean
    assert R2().value(OBSERVED * 2, OBSERVED) == pytest.approx(1 - 50 / 14)  # not a correlation


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(2, 50))
def test_regression_against_scikit_learn(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    observed = rng.normal(50, 10, n)
    predicted = observed + rng.normal(2, 8, n)
    pair = torch.from_numpy(predicted), torch.from_numpy(observed)
    assert R2().value(*pair) == pytest.approx(r2_score(observed, predicted))
    assert RegressionMAE(data_unit="%").value(*pair) == pytest.approx(
        mean_absolute_error(observed, predicted)
    )


def test_regression_not_defined() -> None:
    nothing = torch.zeros(0)
    assert math.isnan(R2().value(nothing, nothing))
    assert math.isnan(R2().value(torch.ones(1), torch.zeros(1)))
    assert math.isnan(R2().value(OBSERVED, torch.full((4,), 0.1)))
    assert math.isnan(RegressionMAE(data_unit="ml").value(nothing, nothing))


@pytest.mark.parametrize(
    "metric", [R2(), RegressionMAE(data_unit="ml"), FeatureAgreement()], ids=lambda m: m.name
)
def test_tables_that_are_refused(metric: PairedValuesMetric) -> None:
    table = torch.rand(4, 3) if metric.name == "feature_agreement" else OBSERVED
    other = OBSERVED if metric.name == "feature_agreement" else torch.rand(4, 3)
    broken = table.clone()
    broken[2] = math.nan
    with pytest.raises(InputError, match="of one shape"):
        metric.value(table[:3], table)
    with pytest.raises(InputError, match="of one shape"):
        metric.value(other, other)
    with pytest.raises(InputError, match="case 2 of the batch: expected finite .* 'predicted'"):  # noqa: RUF043
        metric.value(broken, table)
    with pytest.raises(InputError, match="'observed'"):
        metric.value(table, broken)


def test_concordance_by_hand() -> None:
    time = torch.tensor([1.0, 2.0, 3.0, 3.0])
    event = torch.tensor([True, False, True, False])
    # comparable: 1 with each later case (three), 3 (event) with 3 (censored); not from the second
    risk = torch.tensor([0.9, 0.1, 0.5, 0.5])
    assert ConcordanceIndex().value(risk, time, event) == pytest.approx((3 + 0.5) / 4)
    assert ConcordanceIndex().value(-risk, time, event) == pytest.approx(0.5 / 4)
    assert ConcordanceIndex().value(torch.zeros(4), time, event) == 0.5
    # two events at once are no pair
    both = torch.tensor([True, True])
    assert math.isnan(ConcordanceIndex().value(risk[:2], torch.tensor([2.0, 2.0]), both))
    assert math.isnan(ConcordanceIndex().value(risk, time, torch.zeros(4, dtype=torch.bool)))
    assert math.isnan(ConcordanceIndex().value(risk[:0], time[:0], event[:0]))


@pytest.mark.parametrize(
    ("seed", "wanted"), [(0, 0.7083333333333334), (1, 0.5523138832997988), (2, 0.6923076923076923)]
)
def test_concordance_against_the_numbers_of_lifelines(seed: int, wanted: float) -> None:
    # lifelines 0.30.3, concordance_index(time, -risk, event): tied risks, tied times, 40 % censored
    rng = np.random.default_rng(seed)
    risk = np.round(rng.normal(size=40), 1)
    time = np.round(rng.exponential(10, 40) - 2 * risk + 5).clip(0)
    event = rng.random(40) < 0.6
    found = ConcordanceIndex().value(*map(torch.from_numpy, (risk, time, event)))
    assert found == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(2, 25))
def test_concordance_pair_by_pair(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    risk, time = rng.integers(0, 6, n) / 2, rng.integers(0, 8, n) * 1.0
    event = rng.random(n) < 0.7
    pairs, wins = 0, 0.0
    for i in range(n):
        for j in range(n):
            first = time[i] < time[j] or (time[i] == time[j] and not event[j])
            if i != j and event[i] and first:
                pairs += 1
                wins += 1.0 if risk[i] > risk[j] else 0.5 * (risk[i] == risk[j])
    tensors = [torch.from_numpy(values) for values in (risk, time, event)]
    found = ConcordanceIndex().value(*tensors)
    assert found == pytest.approx(wins / pairs if pairs else math.nan, nan_ok=True)
    # only the order of risks and times counts
    assert ConcordanceIndex().value(tensors[0].exp(), 12 * tensors[1], tensors[2]) == pytest.approx(
        found, nan_ok=True
    )


def test_survival_tables_that_are_refused() -> None:
    risk, time = torch.rand(3), torch.tensor([1.0, 2.0, 3.0])
    event = torch.tensor([True, False, True])
    with pytest.raises(InputError, match="type bool"):
        ConcordanceIndex().value(risk, time, event.long())
    with pytest.raises(InputError, match="one shape"):
        ConcordanceIndex().value(risk, time[:2], event)
    with pytest.raises(InputError, match="row 0: expected times"):
        ConcordanceIndex().value(risk, time - 2, event)
    with pytest.raises(InputError, match="'risk'"):
        ConcordanceIndex().value(risk / 0, time, event)


def test_brier_by_hand() -> None:
    scores, labels = torch.tensor([0.1, 0.5, 0.9, 1.0]), torch.tensor([0, 1, 1, 0])
    assert BrierScore().value(scores, labels) == pytest.approx((0.01 + 0.25 + 0.01 + 1) / 4)
    two_columns = torch.stack([1 - scores, scores], dim=1)
    assert BrierScore().value(two_columns, labels) == pytest.approx(
        2 * BrierScore().value(scores, labels)
    )
    three = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]])
    assert BrierScore().value(three, torch.tensor([2, 0])) == pytest.approx(
        (0.04 + 0.25 + 0.49) / 2
    )
    assert math.isnan(BrierScore().value(scores[:0], labels[:0]))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(2, 60))
def test_brier_against_scikit_learn(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.random(n), rng.integers(0, 2, n)
    labels[:2] = 0, 1
    found = BrierScore().value(torch.from_numpy(scores), torch.from_numpy(labels))
    assert found == pytest.approx(brier_score_loss(labels, scores))


@pytest.mark.parametrize("boldness", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_calibration_slope_against_scikit_learn(boldness: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1.5, 400).clip(-5, 5)
    labels = (rng.random(400) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    scores = torch.from_numpy(1 / (1 + np.exp(-boldness * logits)))
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    fitted.fit(boldness * logits[:, None], labels)
    found = CalibrationSlopeError().value(scores, torch.from_numpy(labels))
    assert found == pytest.approx(fitted.coef_[0, 0] - 1, abs=1e-5)
    # a classifier that is too bold by a factor has the slope of the calibrated one over it
    honest = CalibrationSlopeError().value(torch.from_numpy(logits).sigmoid(), torch.tensor(labels))
    assert found + 1 == pytest.approx((honest + 1) / boldness, rel=1e-6)
    assert abs(honest) < 0.3


def test_calibration_slope_by_hand() -> None:
    # of ten cases at 0.2 two have it, of ten at 0.9 nine: the slope is one
    scores = torch.tensor([0.2] * 10 + [0.9] * 10, dtype=torch.float64)
    labels = torch.tensor([1] * 2 + [0] * 8 + [1] * 9 + [0])
    assert CalibrationSlopeError().value(scores, labels) == pytest.approx(0, abs=1e-9)
    # of those at 0.9, only half have it: logit 0 in place of log 9
    worse = torch.tensor([1] * 2 + [0] * 8 + [1] * 5 + [0] * 5)
    wanted = -math.log(0.25) / (math.log(9) - math.log(0.25)) - 1
    assert CalibrationSlopeError().value(scores, worse) == pytest.approx(wanted)


def test_calibration_slope_not_defined() -> None:
    metric = CalibrationSlopeError()
    labels = torch.tensor([0, 0, 1, 1])
    assert math.isnan(metric.value(torch.tensor([0.1, 0.2, 0.8, 0.9]), labels))  # separated
    assert math.isnan(metric.value(torch.tensor([0.9, 0.8, 0.2, 0.1]), labels))
    assert math.isnan(metric.value(torch.tensor([0.1, 0.5, 0.5, 0.9]), labels))  # but for a tie
    assert math.isnan(metric.value(torch.full((4,), 0.3), labels))
    assert math.isnan(metric.value(torch.tensor([0.1, 0.2, 0.8, 0.9]), torch.ones(4)))
    assert math.isnan(metric.value(torch.zeros(0), torch.zeros(0)))
    certain = metric.value(torch.tensor([0.0, 1.0, 0.0, 1.0, 0.4, 0.6]), torch.tensor([0, 1] * 3))
    assert math.isnan(certain)
    wrong_once = torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([0, 1, 1, 1])
    assert math.isnan(metric.value(*wrong_once))  # no negative at 1
    assert math.isfinite(
        metric.value(torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0]), torch.tensor([0, 1, 1, 1, 0]))
    )
    with pytest.raises(InputError, match="least_probability"):
        CalibrationSlopeError(least_probability=0.5)
    with pytest.raises(InputError, match="one label against the others"):
        metric.value(torch.full((4, 2), 0.5), labels)


def test_intraclass_correlation_of_the_published_example() -> None:
    ratings = SHROUT_FLEISS[:, None, :]
    assert intraclass_correlation(ratings, "2,1").item() == pytest.approx(0.29, abs=0.005)
    assert intraclass_correlation(ratings, "3,1").item() == pytest.approx(0.71, abs=0.005)


def test_feature_agreement_by_hand() -> None:
    reference = torch.tensor([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]])
    offset = reference + torch.tensor([1.0, 0.0])
    absolute, consistent = FeatureAgreement(), FeatureAgreement(form="3,1")
    # between cases 2 * 5/3, between raters 2 (of 8 values, each 0.5 from the mean), no rest:
    # (10/3) / (10/3 + 2 * 2 / 4); the second feature has no variance and is left out
    assert absolute.value(offset, reference) == pytest.approx((10 / 3) / (10 / 3 + 1))
    assert consistent.value(offset, reference) == pytest.approx(1)
    assert absolute.per_feature(offset, reference).isnan().tolist() == [False, True]
    assert absolute.value(reference, reference) == pytest.approx(1)
    assert math.isnan(absolute.value(reference[:, 1:], reference[:, 1:]))
    assert math.isnan(absolute.value(reference[:1], reference[:1]))
    assert math.isnan(absolute.value(reference[:, :0], reference[:, :0]))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(3, 30), form=st.sampled_from(["2,1", "3,1"]))
def test_feature_agreement_from_sums_of_squares(seed: int, n: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(100, 10, (n, 3))
    predicted = truth + rng.normal(3, [1, 5, 20], (n, 3))
    metric = FeatureAgreement(form=form)  # type: ignore[arg-type]
    found = metric.per_feature(torch.from_numpy(predicted), torch.from_numpy(truth))
    for feature in range(3):
        table = np.stack([predicted[:, feature], truth[:, feature]], axis=1)
        of_cases = 2 * ((table.mean(1) - table.mean()) ** 2).sum() / (n - 1)
        of_raters = n * ((table.mean(0) - table.mean()) ** 2).sum()
        total = ((table - table.mean()) ** 2).sum()
        rest = (total - of_cases * (n - 1) - of_raters) / (n - 1)
        below = of_cases + rest + (2 * (of_raters - rest) / n if form == "2,1" else 0)
        assert found[feature].item() == pytest.approx((of_cases - rest) / below)
    assert metric.value(torch.from_numpy(predicted), torch.from_numpy(truth)) == pytest.approx(
        found.mean().item()
    )
    scaled = metric.per_feature(torch.from_numpy(predicted * 7), torch.from_numpy(truth * 7))
    assert torch.allclose(scaled, found)
    swapped = metric.per_feature(torch.from_numpy(truth), torch.from_numpy(predicted))
    assert torch.allclose(swapped, found)
