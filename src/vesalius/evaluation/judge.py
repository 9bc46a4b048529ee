"""Three levels of judgement of drawn images, case by case in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case
from vesalius.evaluation.class_table import ClassTable, table_records
from vesalius.evaluation.sets import FeatureSets, set_records
from vesalius.evaluation.statistics import holm, paired_test, summarise
from vesalius.tasks.task import Task

#: ``draws(partition, case)`` returns (draw, channel, *space) in model units.
Draws = Callable[[str, Case], Tensor]

PARTITIONS = ("test", "shifted")
#: Names of a classified case's values: the probability of each class, and of the true one.
CHANCE, TRUE_CHANCE = "probability of", "probability of the true class"


@dataclass
class CaseValues:
    """Values of one partition: metric name to method name to one value a case."""

    cases: list[Case] = field(default_factory=list)
    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, metric: str, method: str, value: float) -> None:
        """One more case."""
        self.values.setdefault(metric, {}).setdefault(method, []).append(value)

    @property
    def patients(self) -> list[str]:
        """One a case."""
        return [case.patient for case in self.cases]


@dataclass(frozen=True)
class Judgements:
    """Records of a run, and the per-case values behind them by partition."""

    records: tuple[Record, ...]
    by_partition: Mapping[str, CaseValues]
    warnings: tuple[str, ...]


def estimate(draws: Tensor) -> Tensor:
    """The mean of the draws, ``(1, channel, *space)``: the image that errors are measured of.

    Of label maps and classes, draws are probabilities, and so is their mean.
    """
    return draws.mean(dim=0, keepdim=True)


def spread(task: Task, draws: Tensor) -> Tensor:
    """Standard deviation of the judged draws, ``(1, channel, *space)``; zero for a single draw.

    Of label maps, the share of draws that differ from the label of their mean.
    """
    judged = task.judged(draws)
    if task.judgement.answer == "labels":
        return (judged != task.judged(estimate(draws))).double().mean(dim=0, keepdim=True)
    if len(judged) < 2:
        return torch.zeros_like(judged[:1])
    return judged.std(dim=0, keepdim=True)


def error(task: Task, judged: Tensor, reference: Tensor) -> Tensor:
    """Absolute error of judged images; of label maps, one where the label is wrong."""
    if task.judgement.answer == "labels":
        return (judged != reference).double()
    return (judged - reference).abs()


def judge(
    task: Task,
    draws: Draws,
    context: Record,
    *,
    seed: int = 0,
    advance: Callable[[int], None] = lambda done: None,
) -> Judgements:
    """Judge the drawn test cases of every partition that is there.

    ``context`` carries what all records share. Errors are those of the mean of the draws;
    distributions those of the first draw, since a mean has no texture.
    """
    records: list[Record] = []
    found: dict[str, CaseValues] = {}
    warnings: list[str] = []
    done = 0
    for partition in PARTITIONS:
        cases = task.split[partition]
        if not cases:
            continue
        values, sets, table = CaseValues(), FeatureSets(task), ClassTable()
        for case in cases:
            _judge_case(task, case, draws(partition, case), context.recipe, values, sets, table)
            done += 1
            advance(done)
        found[partition] = values
        group = replace(context, group=partition)
        records += _case_records(task, values, group, seed)
        if task.judgement.answer == "class":
            records += table_records(task, table, values.patients, group, seed)
        elif task.judgement.answer == "image":
            of_sets, notes = set_records(task, sets, values.patients, group, seed)
            records += of_sets
            warnings += [note for note in notes if note not in warnings]
    return Judgements(tuple(records), found, tuple(warnings))


def _judge_case(
    task: Task,
    case: Case,
    drawn: Tensor,
    method: str,
    values: CaseValues,
    sets: FeatureSets,
    table: ClassTable,
) -> None:
    batch = task.test_case(case)
    assert batch.wanted is not None
    values.cases.append(case)
    reference = task.judged(batch.wanted)
    baselines = task.baselines(batch)
    methods = {method: estimate(drawn), **baselines}
    judged = {name: task.judged(image) for name, image in methods.items()}
    if task.judgement.answer == "class":
        table.add(judged, reference)
        for name, chances in judged.items():
            for place, label in enumerate(task.judgement.labels):
                values.add(f"{CHANCE} {label}", name, float(chances[0, place]))
            values.add(TRUE_CHANCE, name, float((chances * reference).sum()))
        values.add("true class", "reference", float(reference[0].argmax()))
        return
    metrics = task.metrics(case)
    for name, image in judged.items():
        for metric in metrics:
            value = float(metric.statistic(image, reference, batch.mask)[0])
            values.add(metric.name, name, value)
    if len(drawn) > 1 and metrics:
        first = task.judged(drawn[:1])
        for metric in metrics:
            value = float(metric.statistic(first, reference, batch.mask)[0])
            values.add(f"{metric.name} of one draw", method, value)
        wrong = error(task, judged[method], reference)
        values.add(
            "error-uncertainty correlation",
            method,
            rank_correlation(wrong, spread(task, drawn), batch.mask),
        )
    if task.judgement.answer != "image":
        return
    first_baseline = next(iter(baselines), None)
    shown = {"reference": reference, method: task.judged(drawn[:1])}
    if first_baseline is not None:
        shown[first_baseline] = judged[first_baseline]
    for name, image in shown.items():
        sets.add(name, image, batch.mask)


def rank_correlation(error: Tensor, uncertainty: Tensor, mask: Tensor | None) -> float:
    """Spearman correlation of two images' voxels inside ``mask``; NaN where one is constant."""
    from scipy.stats import rankdata

    inside = slice(None) if mask is None else mask.flatten()
    a, b = (x.flatten()[inside].double().cpu().numpy() for x in (error, uncertainty))
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _case_records(task: Task, values: CaseValues, context: Record, seed: int) -> list[Record]:
    records: list[Record] = []
    if not task.judgement.metrics:  # no image is the one truth: sets alone are compared
        return records
    first = values.values[task.judgement.metrics[0].name]
    methods = [context.recipe, *(name for name in first if name != context.recipe)]
    baseline = methods[1] if len(methods) > 1 else None
    rng = numpy_stream(seed, "bootstrap", context.group)
    for metric in task.judgement.metrics:
        by_method = values.values[metric.name]
        for method in methods:
            summary = summarise(by_method[method], values.patients, rng)
            record = replace(
                context,
                recipe=method,
                metric=metric.name,
                level=metric.level,
                unit=metric.unit,
                direction=metric.direction,
                value=summary.value,
                low=summary.low,
                high=summary.high,
                n=summary.n_patients,
            )
            if method == context.recipe and baseline is not None:
                test = paired_test(
                    by_method[method], by_method[baseline], values.patients, metric.direction
                )
                mean = summarise(by_method[baseline], values.patients, rng, n_boot=1).value
                record = replace(
                    record, baseline=baseline, baseline_value=mean, p_value=test.p_value
                )
            records.append(record)
        single = values.values.get(f"{metric.name} of one draw")
        if single:
            summary = summarise(single[context.recipe], values.patients, rng)
            records.append(
                replace(
                    context,
                    metric=f"{metric.name} of one draw",
                    level=metric.level,
                    unit=metric.unit,
                    direction=metric.direction,
                    value=summary.value,
                    low=summary.low,
                    high=summary.high,
                    n=summary.n_patients,
                )
            )
    correlation = values.values.get("error-uncertainty correlation")
    if correlation:
        summary = summarise(correlation[context.recipe], values.patients, rng)
        records.append(
            replace(
                context,
                metric="error-uncertainty correlation",
                level="pixel",
                unit="1",
                direction="up",
                value=summary.value,
                low=summary.low,
                high=summary.high,
                n=summary.n_patients,
                note="Spearman over voxels, mean over patients",
            )
        )
    return with_holm(records)


def with_holm(records: Sequence[Record]) -> list[Record]:
    """The same records with p-values adjusted for their number."""
    p_values = [math.nan if r.p_value is None else r.p_value for r in records]
    n_tests = sum(not math.isnan(p) for p in p_values)
    return [
        record
        if math.isnan(p)
        else replace(
            record,
            p_value=float(p),
            note=f"paired Wilcoxon by patient, Holm over {n_tests}"
            if n_tests > 1
            else "paired Wilcoxon by patient",
        )
        for record, p in zip(records, holm(p_values), strict=True)
    ]
