"""Metrics of all cases at once, of several runs: sets of drawn images, and tables of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from vesalius.core.rng import numpy_stream
from vesalius.evaluation.class_table import compared_tables
from vesalius.evaluation.judge import CHANCE
from vesalius.evaluation.measures import Measure, WholeValues
from vesalius.evaluation.sets import FeatureSets, compare_feature_sets
from vesalius.runner.judged_folder import GroupValues
from vesalius.runner.run import Run, Watcher
from vesalius.tasks.task import Task


def set_values(
    runs: Mapping[str, Run],
    cases: Sequence[str],
    patients: Sequence[str],
    today: str | None,
    group: str,
    seed: int,
    watch: Watcher,
) -> tuple[list[WholeValues], list[str]]:
    """Sets of the first draws of every run against the real images, all resampled alike.

    Needs the runs' data. The scale of features is that of the first run's training images. Returns
    the values, and remarks on what is too few.
    """
    first = next(iter(runs.values()))
    by_name = {case.identifier: case for case in first.task.split[group]}
    sets = FeatureSets(first.task)
    watch.stage(f"features of {group}", len(cases))
    for done, name in enumerate(cases, start=1):
        batch = first.task.test_case(by_name[name])
        assert batch.wanted is not None
        sets.add("reference", first.task.judged(batch.wanted), batch.mask)
        for system, run in runs.items():
            drawn = run.draws(group, by_name[name])[:1]
            sets.add(system, run.task.judged(drawn), batch.mask)
        if today is not None:
            baseline = first.task.baselines(batch)[today]
            sets.add(today, first.task.judged(baseline), batch.mask)
        watch.advance(done)
    watch.stage(f"sets of {group}", 0)
    found, notes = compare_feature_sets(first.task, sets, patients, group, seed)
    n_patients = len(set(patients))
    return [
        WholeValues(
            Measure(one.name, "feature", one.metric.unit, one.metric.direction, group),
            one.compared,
            n_patients,
            one.floor,
        )
        for one in found
    ], notes


def table_values(
    task: Task,
    groups: Mapping[str, GroupValues],
    methods: Mapping[str, str],
    cases: Sequence[str],
    patients: Sequence[str],
    today: str | None,
    group: str,
    seed: int,
) -> list[WholeValues]:
    """Metrics of the table of classes, from the probabilities that every run kept."""
    labels = task.judgement.labels
    sources = {name: (found, methods[name]) for name, found in groups.items()}
    if today is not None:
        sources[today] = (next(iter(groups.values())), today)
    scores, truth = {}, torch.empty(0)
    for name, (found, method) in sources.items():
        places = {case: k for k, case in enumerate(found.cases)}
        rows = [places[case] for case in cases]
        table = np.stack([found.values[f"{CHANCE} {label}"][method][rows] for label in labels], 1)
        scores[name] = torch.from_numpy(table[:, 1] if len(labels) == 2 else table)
        truth = torch.from_numpy(found.values["true class"]["reference"][rows]).long()
    made = []
    for metric in task.judgement.tables:
        rng = numpy_stream(seed, "tables", group, metric.name)
        compared = compared_tables(metric, scores, truth, patients, rng)
        measure = Measure(metric.name, metric.level, metric.unit, metric.direction, group)
        made.append(WholeValues(measure, compared, len(set(patients))))
    return made
