"""Judgements of draws whose quality is known beforehand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius import recipes, tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core.call import Call
from vesalius.core.record import Record
from vesalius.core.rng import torch_stream
from vesalius.data.source import Case
from vesalius.data.split import SplitRule
from vesalius.evaluation.judge import (
    PARTITIONS,
    Judgements,
    estimate,
    judge,
    rank_correlation,
    spread,
    with_holm,
)
from vesalius.evaluation.sets import MINIMUM_SET, SET_METRICS
from vesalius.recipes.tiny import tiny
from vesalius.tasks.task import Task

CONTEXT = Record("ours", "t1-to-t2", "digital", "p", "", "cost", "", "down", 0.0, fingerprint="f")
BASELINE = "intensity lookup"


def translation(rule: Call) -> Task:
    source = Call(DigitalPatients, n=40, size=(32, 32))
    task: Task = tasks.get("t1-to-t2", source).replace(matrix=(32, 32), rule=rule).build()
    return task


@pytest.fixture(scope="module")
def large() -> Task:
    """Enough patients in both partitions to compare sets."""
    return translation(Call(SplitRule, test=0.5, shifted_sites=("C",)))


@pytest.fixture(scope="module")
def few() -> Task:
    """Too few patients in either partition to compare sets."""
    return translation(Call(SplitRule, test=0.2))


def truth(task: Task, case: Case) -> Tensor:
    wanted = task.test_case(case).wanted
    assert wanted is not None
    return wanted


def perfect(task: Task) -> Callable[[str, Case], Tensor]:
    return lambda partition, case: truth(task, case)


def constant(task: Task) -> Callable[[str, Case], Tensor]:
    return lambda partition, case: torch.full_like(truth(task, case), 0.9)


def around_the_truth(task: Task) -> Callable[[str, Case], Tensor]:
    """Two draws whose mean is the truth, to rounding; none of them leaves the scale."""

    def draws(partition: str, case: Case) -> Tensor:
        wanted = truth(task, case)
        noise = torch.rand(wanted.shape, generator=torch_stream(0, case.identifier)) - 0.5
        reach = (1 - wanted.abs()).clamp_min(0)
        return torch.cat([wanted + reach * noise, wanted - reach * noise])

    return draws


def pick(found: Judgements, metric: str, group: str = "test", recipe: str = "ours") -> Record:
    chosen = [
        record
        for record in found.records
        if (record.metric, record.group, record.recipe) == (metric, group, recipe)
    ]
    assert len(chosen) == 1, f"one record of {metric}"
    return chosen[0]


@pytest.fixture(scope="module")
def of_perfect(large: Task) -> Judgements:
    return judge(large, perfect(large), CONTEXT)


@pytest.fixture(scope="module")
def of_constant(large: Task) -> Judgements:
    return judge(large, constant(large), CONTEXT)


@pytest.mark.parametrize("group", PARTITIONS)
def test_perfect_draws_beat_the_baseline(large: Task, of_perfect: Judgements, group: str) -> None:
    mae = pick(of_perfect, "mae", group)
    assert mae.value == mae.low == mae.high == 0
    assert mae.baseline == BASELINE
    assert mae.baseline_value == pick(of_perfect, "mae", group, BASELINE).value
    assert mae.baseline_value is not None
    assert mae.baseline_value > 0
    n_patients = len({case.patient for case in large.split[group]})
    assert mae.n == n_patients >= MINIMUM_SET
    # better for every patient: 2 of 2^n sign patterns, times the number of tests (Holm)
    n_tests = len(large.judgement.metrics)
    assert mae.p_value == pytest.approx(n_tests * 2 / 2**n_patients)
    assert mae.note == f"paired Wilcoxon by patient, Holm over {n_tests}"
    assert pick(of_perfect, "psnr", group).value == math.inf


def test_constant_draws_are_worse_than_the_baseline(
    of_perfect: Judgements, of_constant: Judgements
) -> None:
    mae = pick(of_constant, "mae")
    assert mae.baseline_value is not None
    assert mae.p_value is not None
    assert mae.value > 2 * mae.baseline_value
    assert mae.p_value < 0.01
    for name in ("energy[robust radiomics]", "frd[robust radiomics]"):
        far, near = pick(of_constant, name), pick(of_perfect, name)
        assert near.floor is not None
        assert far.value > near.floor > near.value, f"{name}: identical sets lie below the floor"
        assert near.p_value is not None
        assert near.p_value < 0.01, f"{name}: perfect draws beat the baseline"
        assert "paired bootstrap by patient, Holm over" in near.note


def test_intervals_of_sets_stay_in_the_range_of_their_metric(
    of_perfect: Judgements, of_constant: Judgements
) -> None:
    bounds = {f"{metric.name}[robust radiomics]": metric.bounds for metric in SET_METRICS}
    for record in (*of_perfect.records, *of_constant.records):
        if record.metric in bounds:
            low, high = bounds[record.metric]
            assert record.low is not None
            assert record.high is not None
            assert low <= record.low <= record.high <= high


def test_records_are_complete_in_both_partitions(large: Task, of_perfect: Judgements) -> None:
    assert set(of_perfect.by_partition) == set(PARTITIONS)
    metrics = {metric.name for metric in large.judgement.metrics}
    for group in PARTITIONS:
        for level, expected in (("pixel", len(metrics)), ("feature", len(SET_METRICS))):
            for recipe in ("ours", BASELINE):
                chosen = [
                    record
                    for record in of_perfect.records
                    if (record.group, record.level, record.recipe) == (group, level, recipe)
                ]
                assert len({record.metric for record in chosen}) == len(chosen) == expected
                tested = [record.baseline for record in chosen]
                assert set(tested) == ({BASELINE} if recipe == "ours" else {None})
                floors = [record.floor is not None for record in chosen]
                assert all(floors) if level == "feature" else not any(floors)
        values = of_perfect.by_partition[group]
        assert values.cases == list(large.split[group])
        assert set(values.values) == metrics, "a single draw has no spread to speak of"
        assert {len(v) for by in values.values.values() for v in by.values()} == {len(values.cases)}
    assert {record.fingerprint for record in of_perfect.records} == {"f"}


def test_values_of_cases_are_those_of_the_metric(large: Task, of_constant: Judgements) -> None:
    values = of_constant.by_partition["test"]
    case = values.cases[3]
    batch = large.test_case(case)
    assert batch.mask is not None
    error = large.judged(torch.full_like(truth(large, case), 0.9)) - large.judged(
        truth(large, case)
    )
    by_hand = float(error.abs()[batch.mask].double().mean())
    assert values.values["mae"]["ours"][3] == pytest.approx(by_hand, rel=1e-6)
    assert pick(of_constant, "mae").value == pytest.approx(np.mean(values.values["mae"]["ours"]))


def test_errors_are_those_of_the_mean_of_the_draws(few: Task) -> None:
    found = judge(few, around_the_truth(few), CONTEXT)
    of_mean, of_one = pick(found, "mae"), pick(found, "mae of one draw")
    assert of_mean.value < 1e-4 * of_one.value
    assert of_one.value > 0
    assert of_one.p_value is None
    correlation = pick(found, "error-uncertainty correlation")
    assert correlation.direction == "up"
    assert math.isnan(correlation.value), "a perfect mean has no error to go with uncertainty"
    assert correlation.n == 0


def test_uncertainty_that_knows_the_error(few: Task) -> None:
    def draws(partition: str, case: Case) -> Tensor:
        wanted = truth(few, case)
        ramp = torch.linspace(0, 0.2, wanted.numel()).view_as(wanted)
        inward = -wanted.sign() * ramp  # both draws on one side of the truth, apart in proportion
        return torch.cat([wanted + inward, wanted + 2 * inward])

    assert pick(judge(few, draws, CONTEXT), "error-uncertainty correlation").value > 0.95


def test_few_patients_get_a_warning_and_no_set_numbers(few: Task) -> None:
    advanced: list[int] = []
    found = judge(few, perfect(few), CONTEXT, advance=advanced.append)
    n = len({case.patient for case in few.split["test"]})
    assert n < MINIMUM_SET
    assert {record.level for record in found.records} == {"pixel"}
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(f"{n} patients in 'test' are too few")
    assert advanced == list(range(1, len(few.split["test"]) + 1))


def test_the_same_seed_gives_the_same_numbers(few: Task) -> None:
    first, second = (judge(few, constant(few), CONTEXT, seed=3) for _ in range(2))
    other = judge(few, constant(few), CONTEXT, seed=4)
    assert first.records == second.records
    assert [r.value for r in first.records] == [r.value for r in other.records]
    assert [r.low for r in first.records] != [r.low for r in other.records]


def test_a_task_without_one_truth_compares_sets_alone() -> None:
    call = tiny(recipes.get("class-diffusion")).task
    source = Call(DigitalPatients, n=40, size=(32, 32))
    task: Task = call.replace(source=source, rule=Call(SplitRule, test=0.4)).build()
    assert task.judgement.metrics == ()
    found = judge(task, perfect(task), CONTEXT)
    assert {record.level for record in found.records} == {"feature"}
    assert {record.recipe for record in found.records} == {"ours", "class mean"}
    assert len(found.records) == 2 * len(SET_METRICS)
    assert found.by_partition["test"].values == {}


def test_rank_correlation_by_hand() -> None:
    error = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).view(1, 1, 5)
    # ranks 2 1 4 3 5: 1 - 6 (1 + 1 + 1 + 1) / (5 * 24) = 0.8
    swapped = torch.tensor([20.0, 10.0, 40.0, 30.0, 1e6]).view(1, 1, 5)
    assert rank_correlation(error, swapped, None) == pytest.approx(0.8)
    assert rank_correlation(error, -(error**3), None) == pytest.approx(-1)
    # inside the mask: ranks 1 2 3 against 1 3 2, 1 - 6 * 2 / (3 * 8) = 0.5
    mask = torch.tensor([True, False, True, True, False]).view(1, 1, 5)
    assert rank_correlation(error, swapped, mask) == pytest.approx(0.5)
    assert math.isnan(rank_correlation(error, torch.ones_like(error), None))
    assert math.isnan(rank_correlation(error[..., :2], swapped[..., :2], None))


def test_estimate_and_spread_by_hand(few: Task) -> None:
    draws = torch.tensor([-0.5, 0.0, 0.5]).view(3, 1, 1, 1).expand(3, 1, 2, 2)
    assert torch.equal(estimate(draws), torch.zeros(1, 1, 2, 2))
    found = spread(few, draws)
    half = (few.judgement.range[1] - few.judgement.range[0]) / 2
    assert found.shape == (1, 1, 2, 2)
    assert torch.allclose(found, torch.full_like(found, 0.5 * half))
    assert torch.equal(spread(few, draws[:1]), torch.zeros(1, 1, 2, 2))


def test_p_values_are_adjusted_for_their_number() -> None:
    records = [dataclasses.replace(CONTEXT, p_value=p) for p in (0.01, None, 0.04, 0.03, math.nan)]
    found = with_holm(records)
    assert [r.p_value for r in found[:4]] == pytest.approx([0.03, None, 0.06, 0.06])
    assert [r.note for r in found[:2]] == ["paired Wilcoxon by patient, Holm over 3", ""]
    assert found[4].p_value is not None
    assert math.isnan(found[4].p_value)
    alone = with_holm(records[:2])
    assert (alone[0].p_value, alone[0].note) == (0.01, "paired Wilcoxon by patient")
