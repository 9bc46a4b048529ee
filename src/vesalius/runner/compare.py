"""Finished runs side by side: the same cases, paired tests, ranks, margins and subgroups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vesalius.core.call import fingerprint
from vesalius.core.errors import InputError, UnknownName
from vesalius.core.files import write_atomically
from vesalius.core.record import Record
from vesalius.evaluation.margins import margin_tests
from vesalius.evaluation.measures import CaseValues
from vesalius.evaluation.subgroup_findings import subgroup_findings
from vesalius.evaluation.system_comparison import Findings, compare_systems
from vesalius.reports import write_comparison
from vesalius.reports.findings import ComparisonFindings
from vesalius.runner.compared_values import (
    Shared,
    baseline_of,
    case_values,
    named_folders,
    require_same,
    shared_cases,
    shared_groups,
    whole_values,
)
from vesalius.runner.comparison_files import comparison_files
from vesalius.runner.covariates import subgroup_columns
from vesalius.runner.judged_folder import JudgedFolder, open_judged
from vesalius.runner.run import Silent, Watcher


@dataclass(frozen=True)
class Terms:
    """What is asked of a comparison.

    Parameters
    ----------
    reference, margins:
        Which systems lose no more than a margin, in the metric's unit, to the reference: by default
        what is used today.
    subgroups, bands:
        A table of covariates by case or patient, and edges of bands for its numbers (else thirds).
        Without it runs are parted by the sites and covariates that their data tell.
    common:
        Whether to compare over the cases that all folders have, where they differ.
    baseline:
        Whether what is used today takes part, where every folder has the same.
    sets:
        Whether to measure the features of all drawn images again, so that sets are tested in pairs;
        else their numbers are shown without a test.
    """

    reference: str | None = None
    margins: Mapping[str, float] = field(default_factory=dict)
    subgroups: str | Path | None = None
    bands: Mapping[str, Sequence[float]] = field(default_factory=dict)
    common: bool = False
    baseline: bool = True
    sets: bool = True


def compare(
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    terms: Terms | None = None,
    seed: int = 0,
    watch: Watcher | None = None,
) -> Path:
    """Compare finished run folders, or output folders of ``vesalius evaluate``.

    The folders were judged on the same task, data, protocol and test cases. ``out`` receives
    ``report.html``, ``comparison.json`` (all that was found) and ``comparison.csv`` (a row for each
    system and metric). Returns the report. Raises InputError for folders that are not finished or
    cannot be compared, and says what differs.
    """
    terms = terms or Terms()
    watch = watch or Silent()
    opened = [open_judged(folder) for folder in folders]
    named = named_folders(opened)
    require_same(named)
    today = baseline_of(named) if terms.baseline else None
    if len(named) + (today is not None) < 2:
        raise InputError("at least two systems", came="one", remedy="give another run folder")
    shared = {group: shared_cases(named, group, terms.common) for group in shared_groups(named)}
    watch.stage("compare", 0)
    systems = (*named, *([today] if today else []))
    by_case, left_out = case_values(named, shared, today)
    reference = _reference(terms, by_case, systems, today)
    columns, remarks = subgroup_columns(named, shared, terms.subgroups, terms.bands)
    whole, warnings = whole_values(named, shared, today, terms.sets, seed, watch)
    watch.stage("test", 0)
    found = compare_systems(by_case, whole, seed)
    first = next(iter(named.values()))
    summary = {} if first.run is None else first.run.task.summary()
    findings = ComparisonFindings(
        question=str(summary.get("question", "")),
        found=found,
        systems=systems,
        baseline=today,
        margins=margin_tests(by_case, reference, terms.margins, seed) if reference else (),
        subgroups=subgroup_findings(by_case, columns, seed),
        facts=_facts(named, shared, seed),
        remarks=left_out,
        warnings=(*_warnings(named, shared, terms.common), *warnings, *remarks),
    )
    records = _records(named, shared, found, today)
    out = Path(out)
    files = comparison_files(findings, records)
    for name, content in files.items():
        write_atomically(out / name, content)
    path = out / "report.html"
    task = first.context.task
    title = f"{len(named)} systems: {task}" if len(named) > 1 else f"{next(iter(named))}: {task}"
    write_comparison(path, title, records, findings=findings, downloads=files)
    return path


def _reference(
    terms: Terms, by_case: Sequence[CaseValues], systems: Sequence[str], today: str | None
) -> str | None:
    """The system that others must not fall behind; None where no margin is stated."""
    known = list(dict.fromkeys(one.measure.metric for one in by_case))
    for metric, margin in terms.margins.items():
        if metric not in known:
            raise UnknownName("metric with a value a case in every folder", metric, known)
        if not (math.isfinite(margin) and margin > 0):
            raise InputError("a positive margin", came=margin, case=metric)
    reference = terms.reference or today
    if terms.reference is not None and terms.reference not in systems:
        raise UnknownName("system to compare with", terms.reference, systems)
    if not terms.margins:
        return None
    if reference is None:
        raise InputError("a reference for the margins", came="none", remedy="pass --reference NAME")
    return reference


def _facts(
    named: Mapping[str, JudgedFolder], shared: Mapping[str, Shared], seed: int
) -> dict[str, str]:
    from vesalius import __version__

    context = next(iter(named.values())).context
    facts = {"task": context.task, "data": context.dataset, "protocol": context.protocol}
    for group, cases in shared.items():
        facts[f"{group} cases"] = f"{len(cases.cases)} of {len(set(cases.patients))} patients"
    for name, folder in named.items():
        own = folder.context
        told = [f"folder {folder.folder.resolve().name}", f"seed {own.seed}"]
        told += [f"fingerprint {own.fingerprint}"] if own.fingerprint else []
        told += [f"{own.steps} steps"] if own.steps else []
        facts[name] = ", ".join(told)
    return {**facts, "resampling seed": str(seed), "software": f"vesalius {__version__}"}


def _warnings(
    named: Mapping[str, JudgedFolder], shared: Mapping[str, Shared], common: bool
) -> Iterator[str]:
    if len({folder.context.split for folder in named.values()}) > 1:
        yield "The systems were not trained on the same cases; the test cases are the same."
    for group, cases in shared.items():
        most = max(len(folder.groups[group].cases) for folder in named.values())
        if common and most > len(cases.cases):
            yield (
                f"Only the {len(cases.cases)} cases of '{group}' that every folder has are "
                "compared, by metrics with values by case; the numbers are not those of the "
                "folders' own reports."
            )


def _records(
    named: Mapping[str, JudgedFolder],
    shared: Mapping[str, Shared],
    found: Findings,
    today: str | None,
) -> dict[str, list[Record]]:
    """Numbers by system: those found on the shared cases, and what else the folders say."""
    tested = {(one.measure.metric, one.measure.group) for one in found.measures}
    split = fingerprint({group: list(cases.cases) for group, cases in shared.items()})
    first = next(iter(named.values()))
    sources = {name: (folder, folder.method) for name, folder in named.items()}
    if today is not None:
        sources[today] = (first, today)
    sets = any(one.measure.level == "feature" for one in found.measures)
    kept = _others(named, shared, tested, sources, sets)
    made: dict[str, list[Record]] = {}
    for name, (folder, _) in sources.items():
        own = replace(
            folder.context, recipe=name, split=split, baseline=None, baseline_value=None,
            p_value=None, note="",
        )  # fmt: skip
        records = []
        for one in found.measures:
            value, low, high = one.values[name]
            measure = one.measure
            summary = one.summaries.get(name)
            records.append(
                replace(
                    own, metric=measure.metric, level=measure.level, unit=measure.unit,
                    direction=measure.direction, group=measure.group, value=value,
                    low=_bound(low), high=_bound(high), floor=one.floor,
                    n=summary.n_patients if summary else one.n_patients,
                )
            )  # fmt: skip
        made[name] = records + [replace(record, recipe=name, split=split) for record in kept[name]]
    return made


def _others(
    named: Mapping[str, JudgedFolder],
    shared: Mapping[str, Shared],
    tested: set[tuple[str, str]],
    sources: Mapping[str, tuple[JudgedFolder, str]],
    sets: bool,
) -> dict[str, list[Record]]:
    """What the folders say beyond what was tested, of metrics that two of them have.

    Where only some cases are compared, numbers of all cases have no place beside them; where
    ``sets`` were measured again, neither have the folders' own numbers of them.
    """
    whole = all(
        len(folder.groups[group].cases) == len(cases.cases)
        for folder in named.values()
        for group, cases in shared.items()
    )
    owners: dict[str, set[str]] = {}
    for name, (folder, method) in sources.items():
        for record in folder.records:
            if record.recipe == method:
                owners.setdefault(record.metric, set()).add(name)
    made: dict[str, list[Record]] = {}
    for name, (folder, method) in sources.items():
        own = [r for r in folder.records if r.recipe == method]
        made[name] = [
            # a baseline that takes part has a place of its own
            replace(r, baseline=None, baseline_value=None, p_value=None, note="")
            if len(sources) > len(named)
            else r
            for r in own
            if (r.metric, r.group) not in tested
            and (whole or r.level == "cost")
            and not (sets and r.level == "feature")
            and (len(owners[r.metric]) > 1 or len(named) == 1)
        ]
    return made


def _bound(value: float) -> float | None:
    return None if math.isnan(value) else value
