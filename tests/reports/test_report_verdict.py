from __future__ import annotations

import pytest

from vesalius.reports import verdict
from vesalius.reports.rows import compare, rows_by_metric


def test_better(record):
    text = verdict([record()])
    assert "Judged on 24 held-out patients." in text
    assert "Of 1 tested comparison: better than the baseline on 1." in text
    assert (
        "MAE is 12.3 HU (95 % interval 11.0 to 13.9), better than FBP "
        "(45.1 HU; paired test p < 0.001)." in text
    )


def test_worse(record):
    text = verdict([record(baseline_value=9.5, p_value=0.003)])
    assert "worse than FBP (9.5 HU; paired test p = 0.003)" in text
    assert "worse than the baseline on 1" in text
    assert "better" not in text


@pytest.mark.parametrize("p", [0.05, 0.34, 1.0])
@pytest.mark.parametrize("baseline", [9.5, 45.1])
def test_undetectable_is_never_called_better_or_worse(record, p, baseline):
    text = verdict([record(baseline_value=baseline, p_value=p)])
    assert "with no detectable difference from FBP" in text
    assert "no difference detected on 1" in text
    assert "better" not in text
    assert "worse" not in text


@pytest.mark.parametrize("p", [None, float("nan")])
def test_without_a_test_nothing_is_claimed(record, p):
    text = verdict([record(p_value=p)])
    assert "FBP has 45.1 HU (not tested, so no claim)" in text
    assert "1 comparison has no test." in text
    assert "better" not in text


def test_up_metrics_are_better_when_higher(record):
    psnr = {"metric": "PSNR", "unit": "dB", "direction": "up", "value": 34.2, "low": 33, "high": 35}
    assert "better than FBP (28.0 dB" in verdict([record(**psnr, baseline_value=28.0)])
    assert "worse than FBP (40.0 dB" in verdict([record(**psnr, baseline_value=40.0)])


def test_zero_metrics_compare_distances_to_zero(record):
    bias = {"metric": "bias", "unit": "%", "direction": "zero", "value": -1.2, "low": -2, "high": 0}
    near = verdict([record(**bias, baseline_value=4.8, p_value=0.01)])
    assert "bias is −1.2 %" in near
    assert "closer to zero, so better, than FBP" in near
    far = verdict([record(**bias, baseline_value=0.1, p_value=0.01)])
    assert "further from zero, so worse, than FBP" in far


def test_equal(record):
    assert "the same as FBP" in verdict([record(baseline_value=12.34)])


def test_infinities_that_tie_are_equal(record):
    tied = record(direction="up", value=float("inf"), low=None, high=None,
                  baseline_value=float("inf"))  # fmt: skip
    assert compare(tied).outcome == "equal"
    assert "MAE is inf HU" in verdict([tied])


def test_undefined(record):
    text = verdict([record(value=float("nan"), low=None, high=None, p_value=None, n=0)])
    assert "MAE is not defined on these data." in text
    assert "The number of patients was not recorded." in text
    assert "better" not in text


def test_undefined_baseline(record):
    text = verdict([record(baseline_value=float("nan"))])
    assert "FBP is not defined here" in text
    assert "better" not in text


def test_missing_interval_is_said(record):
    assert "MAE is 12.3 HU, without an interval, better" in verdict([record(low=None, high=None)])


def test_no_baseline_is_said(record):
    text = verdict([record(baseline=None, baseline_value=None, p_value=None)])
    assert "1 number has no baseline to compare with." in text
    assert "MAE is 12.3 HU (95 % interval 11.0 to 13.9)." in text


def test_distribution_metrics_stand_beside_their_floor(record):
    fid = {"metric": "FID", "unit": "1", "level": "feature", "baseline_value": None,
           "p_value": None, "value": 5.12, "low": 4.3, "high": 6.1}  # fmt: skip
    assert "real images against real images score 3.20." in verdict([record(**fid, floor=3.2)])
    inside = verdict([record(**fid, floor=4.9)])
    assert "score 4.90, which is inside the interval." in inside


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (18.21, 15.4, 21.9, "5.9 HU worse than on the test set (the intervals do not overlap)"),
        (13.0, 11.5, 15.0, "0.7 HU worse than on the test set (the intervals overlap)"),
        (9.0, 8.0, 10.5, "3.3 HU better than on the test set (the intervals do not overlap)"),
        (12.34, 11.0, 14.0, "as on the test set"),
        (18.21, None, None, "5.9 HU worse than on the test set."),
    ],
)
def test_shifted_gap(record, value, low, high, words):
    text = verdict([record(), record(group="shifted", value=value, low=low, high=high, n=8)])
    assert "Shifted sites (8 patients)" in text
    assert words in text


def test_shifted_records_do_not_count_as_held_out(record):
    text = verdict([record(), record(group="shifted", baseline_value=1.0, n=8)])
    assert "Of 1 tested comparison: better than the baseline on 1." in text


def test_few_patients_are_named_few(record):
    assert "room for chance" in verdict([record(n=4)])
    assert "room for chance" not in verdict([record(n=40)])


def test_worse_metrics_are_named_even_when_far_down(record):
    many = [record(metric=f"m{i}") for i in range(10)]
    text = verdict([*many, record(metric="hidden", baseline_value=1.0)])
    assert "Also worse than the baseline: hidden." in text
    assert "8 other numbers are in the table." in text
    assert "better than the baseline on 10, worse on 1" in text


def test_arms_are_told_apart(record):
    arms = [
        record(metric="AUC", unit="1", direction="up", group=group, value=value, low=value - 0.02,
               high=value + 0.02, level="clinical", baseline="real", baseline_value=0.8, p_value=p)
        for group, value, p in [("real + synthetic", 0.85, 0.01), ("synthetic only", 0.7, 0.02)]
    ]  # fmt: skip
    text = verdict(arms)
    assert "AUC (real + synthetic) is 0.850" in text
    assert "AUC (synthetic only) is 0.700" in text
    assert "24 patients a group." in text


def test_several_systems_have_their_own_paragraphs(record):
    text = verdict([record(), record(recipe="other", baseline_value=1.0)])
    assert "dolce on limited-angle CT:" in text
    assert "other on limited-angle CT:" in text


def test_nothing():
    assert verdict([]) == "Nothing was measured."


def test_only_cost(record):
    assert verdict([record(level="cost", metric="time", unit="s", low=None, high=None)]) == (
        "Cost: time 12.3 s."
    )


def test_test_comes_before_shifted_before_arms(record):
    found = rows_by_metric(
        [record(group="b"), record(group="shifted"), record(), record(group="a")]
    )
    assert [row.group for row in found[0].rows] == ["test", "shifted", "b", "a"]


def test_tiny_numbers_are_not_printed_as_zero(record):
    rows = rows_by_metric([record(value=1.42, low=None, high=None, baseline_value=0.004)])
    assert rows[0].rows[0].baseline_value == "0.004"
    close = rows_by_metric([record(baseline_value=12.3401)])
    assert close[0].rows[0].difference == "better by 0.0001"


@pytest.mark.parametrize("field", ["protocol", "dataset", "recipe", "task", "unit", "metric"])
def test_different_measurements_never_share_a_metric(record, field):
    found = rows_by_metric([record(), record(**{field: "other"}), record(group="shifted")])
    assert [len(metric.rows) for metric in found] == [2, 1]
    assert getattr(found[1], field) == "other"
