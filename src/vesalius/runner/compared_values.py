"""What several judged folders have in common: rules, cases, and values of every system."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vesalius.core.errors import InputError
from vesalius.evaluation.measures import CaseValues, Measure, WholeValues
from vesalius.runner.judged_folder import JudgedFolder
from vesalius.runner.run import Watcher
from vesalius.runner.whole_values import set_values, table_values

#: What must be the same for numbers to be compared.
SAME = ("task", "dataset", "protocol")


@dataclass(frozen=True)
class Shared:
    """The cases of a group that are compared, and their patients."""

    cases: tuple[str, ...]
    patients: tuple[str, ...]


def named_folders(opened: Sequence[JudgedFolder]) -> dict[str, JudgedFolder]:
    """Folders by the names of their systems; where two have one name, by their folders' names."""
    names = [folder.method for folder in opened]
    if len(set(names)) < len(names):
        names = [folder.folder.resolve().name for folder in opened]
    if len(set(names)) < len(names):
        shared = os.path.commonpath([folder.folder.resolve() for folder in opened])
        names = [str(folder.folder.resolve().relative_to(shared)) for folder in opened]
    if len(set(names)) < len(names):
        raise InputError("different folders", came="one folder twice")
    return dict(zip(names, opened, strict=True))


def require_same(named: Mapping[str, JudgedFolder]) -> None:
    """Raise InputError, naming what differs, unless numbers were made by the same rules."""
    (first_name, first), *others = named.items()
    differing = []
    for what in SAME:
        expected = getattr(first.context, what)
        for name, other in others:
            came = getattr(other.context, what)
            if came != expected:
                differing.append(f"the {what} '{expected}' in {first_name} and '{came}' in {name}")
                break
    if differing:
        raise InputError(
            "folders that were judged on the same task, data and protocol",
            came="; ".join(differing),
            remedy="compare like with like",
        )


def shared_groups(named: Mapping[str, JudgedFolder]) -> list[str]:
    """Groups of cases that every folder has."""
    first, *others = named.values()
    return [group for group in first.groups if all(group in other.groups for other in others)]


def shared_cases(named: Mapping[str, JudgedFolder], group: str, common: bool) -> Shared:
    """Cases that every folder has; InputError where they differ and only some are ``common``."""
    patients = [dict(zip(f.groups[group].cases, f.groups[group].patients, strict=True))
                for f in named.values()]  # fmt: skip
    first = patients[0]
    inside = [case for case in first if all(case in other for other in patients)]
    if any(len(other) != len(inside) for other in patients) and not common:
        counts = ", ".join(
            f"{len(found)} in {name}" for name, found in zip(named, patients, strict=True)
        )
        raise InputError(
            f"the same cases of '{group}' in every folder",
            came=f"{counts}, {len(inside)} of them in all",
            remedy="pass --common to compare over the cases that all have" if inside else None,
        )
    if not inside:
        raise InputError(f"cases of '{group}' that every folder has", came="none")
    for name, other in zip(named, patients, strict=True):
        if any(other[case] != first[case] for case in inside):
            raise InputError(
                "the same patient of a case in every folder", came="another one", case=name
            )
    return Shared(tuple(inside), tuple(first[case] for case in inside))


def baseline_of(named: Mapping[str, JudgedFolder]) -> str | None:
    """What is used today, where all folders say the same."""
    found = {folder.baseline for folder in named.values()}
    return found.pop() if len(found) == 1 else None


def case_values(
    named: Mapping[str, JudgedFolder], shared: Mapping[str, Shared], today: str | None
) -> tuple[list[CaseValues], tuple[str, ...]]:
    """Metrics that every system has by case, and a remark on those that only some have."""
    made, lacking = [], []
    first = next(iter(named.values()))
    for group, cases in shared.items():
        metrics = dict.fromkeys(m for f in named.values() for m in f.groups[group].values)
        for metric in metrics:
            record = next((r for f in named.values() if (r := f.record_of(metric))), None)
            if record is None:
                continue
            values: dict[str, np.ndarray] = {}
            sources = {name: (folder, folder.method) for name, folder in named.items()}
            if today is not None:
                sources[today] = (first, today)
            for name, (folder, method) in sources.items():
                by_method = folder.groups[group].values.get(metric, {})
                if method in by_method:
                    places = {case: k for k, case in enumerate(folder.groups[group].cases)}
                    values[name] = by_method[method][[places[case] for case in cases.cases]]
            if len(values) == len(sources):
                measure = Measure(metric, record.level, record.unit, record.direction, group)
                made.append(CaseValues(measure, cases.patients, values))
            elif metric not in lacking:
                lacking.append(metric)
    told = (f"Not compared, since not every system has them: {', '.join(lacking)}.",)
    return made, told if lacking else ()


def whole_values(
    named: Mapping[str, JudgedFolder],
    shared: Mapping[str, Shared],
    today: str | None,
    sets: bool,
    seed: int,
    watch: Watcher,
) -> tuple[list[WholeValues], list[str]]:
    """Metrics of sets and of tables of classes, of runs."""
    runs = {name: folder.run for name, folder in named.items() if folder.run is not None}
    if len(runs) < len(named):
        untested = any(r.level == "feature" for f in named.values() for r in f.records)
        note = "Features of the images were not kept: sets are shown without a test."
        return [], [note] if untested else []
    made: list[WholeValues] = []
    notes: list[str] = []
    answer = next(iter(runs.values())).task.judgement.answer
    for group, cases in shared.items():
        if answer == "class":
            of_group = {name: folder.groups[group] for name, folder in named.items()}
            methods = {name: folder.method for name, folder in named.items()}
            task = next(iter(runs.values())).task
            made += table_values(task, of_group, methods, cases.cases, cases.patients, today,
                                 group, seed)  # fmt: skip
        elif answer == "image" and sets:
            found, told = set_values(runs, cases.cases, cases.patients, today, group, seed, watch)
            made += found
            notes += told
    if answer == "image" and not sets:
        notes.append("Sets are shown without a test, as asked.")
    return made, notes
