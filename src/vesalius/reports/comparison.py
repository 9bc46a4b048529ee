"""Several systems on one task, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from vesalius.core.record import Direction, Level, Record
from vesalius.reports import numbers
from vesalius.reports.comparison_panels import told
from vesalius.reports.content import Strip
from vesalius.reports.downloads import links
from vesalius.reports.findings import ComparisonFindings
from vesalius.reports.rendering import LEVEL_TITLES, write_page
from vesalius.reports.rows import ARROWS, DIRECTION_WORDS, LEVELS, gain, group_order
from vesalius.reports.tiles import plate


@dataclass(frozen=True)
class Entry:
    """One system's number on one row; ``best`` is set with care, see :func:`best_of`."""

    value: str
    interval: str
    n: str
    best: bool
    note: str = ""


@dataclass(frozen=True)
class ComparisonRow:
    """One metric, one group; ``entries`` are in the order of the systems, None where missing."""

    metric: str
    unit: str
    arrow: str
    direction_words: str
    group: str
    where: str
    baseline: str
    entries: tuple[Entry | None, ...]


class _Key(NamedTuple):
    """What two numbers must share to stand on one row."""

    metric: str
    unit: str
    direction: Direction
    dataset: str
    protocol: str
    split: str
    task: str
    group: str

    @staticmethod
    def of(record: Record) -> _Key:
        return _Key(
            metric=record.metric,
            unit=record.unit,
            direction=record.direction,
            dataset=record.dataset,
            protocol=record.protocol,
            split=record.split,
            task=record.task,
            group=record.group,
        )


def best_of(records: Sequence[Record | None]) -> int | None:
    """The position of the best record, where its interval lies apart from every other's.

    None where fewer than two systems have the number, where any lacks a finite interval, or where
    the best interval touches another one.
    """
    present = [(place, record) for place, record in enumerate(records) if record is not None]
    if len(present) < 2:
        return None
    bounds: dict[int, tuple[float, float]] = {}
    for place, record in present:
        if record.low is None or record.high is None or not math.isfinite(record.value):
            return None
        if not (math.isfinite(record.low) and math.isfinite(record.high)):
            return None
        bounds[place] = (record.low, record.high)
    first = present[0][0]
    for place, record in present[1:]:
        leader = records[first]
        assert leader is not None
        if gain(record.direction, record.value, leader.value) > 0:
            first = place
    low, high = bounds[first]
    apart = all(
        high < other_low or other_high < low
        for place, (other_low, other_high) in bounds.items()
        if place != first
    )
    return first if apart else None


def comparison_rows(
    records_by_recipe: Mapping[str, Sequence[Record]],
    level: Level,
    winners: Mapping[tuple[str, str], str | None] | None = None,
) -> list[ComparisonRow]:
    """One row for every metric, group, data set, protocol and split that any system has.

    Numbers of different data, protocols or splits never share a row: they are not comparable.
    ``winners`` names the best system, or nobody, by metric and group where that was tested; other
    rows follow :func:`best_of`.
    """
    systems = list(records_by_recipe)
    found: dict[_Key, dict[str, list[Record]]] = {}
    for system, records in records_by_recipe.items():
        for record in records:
            if record.level == level:
                found.setdefault(_Key.of(record), {}).setdefault(system, []).append(record)
    several_splits = len({key.split for key in found}) > 1
    several_tasks = len({key.task for key in found}) > 1
    metrics = list(dict.fromkeys(key._replace(group="") for key in found))

    def order(key: _Key) -> tuple[int, int]:
        return metrics.index(key._replace(group="")), group_order(key.group)

    made = []
    for key in sorted(found, key=order):
        cells = found[key]
        # A system may have the same number more than once (seeds): each repeat gets a row.
        for repeat in range(max(len(records) for records in cells.values())):
            chosen = [
                cells[system][repeat] if repeat < len(cells.get(system, ())) else None
                for system in systems
            ]
            tested = (key.metric, key.group)
            if winners is not None and tested in winners:
                winner = winners[tested]
                best = systems.index(winner) if winner is not None else None
            else:
                best = best_of(chosen)
            made.append(_row(key, chosen, best, several_splits, several_tasks))
    return made


def _row(
    key: _Key, records: Sequence[Record | None], best: int | None, splits: bool, tasks: bool
) -> ComparisonRow:
    present = [record for record in records if record is not None]
    direction = key.direction
    decimals = max(numbers.decimals_for(item.value, item.low, item.high) for item in present)
    entries = tuple(
        None
        if record is None
        else Entry(
            value=numbers.number(record.value, decimals),
            interval=numbers.interval(record.low, record.high, decimals),
            n=str(record.n),
            best=place == best,
            note=record.note,
        )
        for place, record in enumerate(records)
    )
    baselines = {
        (record.baseline or "baseline", record.baseline_value)
        for record in present
        if record.baseline_value is not None and not math.isnan(record.baseline_value)
    }
    baseline = "; ".join(
        f"{numbers.beside(value, decimals)} ({name})" for name, value in sorted(baselines)
    )
    split = f"split {key.split or 'not recorded'}" if splits else ""
    where = [key.dataset, key.protocol, split, key.task if tasks else ""]
    return ComparisonRow(
        metric=key.metric,
        unit="" if key.unit == "1" else key.unit,
        arrow=ARROWS[direction],
        direction_words=DIRECTION_WORDS[direction],
        group=key.group,
        where=" · ".join(part for part in where if part),
        baseline=baseline,
        entries=entries,
    )


def write_comparison(
    path: Path,
    title: str,
    records_by_recipe: Mapping[str, Sequence[Record]],
    strips: Sequence[Strip] = (),
    *,
    findings: ComparisonFindings | None = None,
    downloads: Mapping[str, bytes] | None = None,
) -> None:
    """Write several systems side by side to ``path``, as one HTML file.

    A strip has one picture a system beside what all were given and the reference. In the tables
    rows are metrics and columns are systems, or the other way round where systems are many. With
    ``findings`` the page has a verdict, ranks, tests, margins and subgroups, and the best is marked
    where tests tell it from all others; without, where its interval overlaps none. The page carries
    ``downloads``, files by name.
    """
    winners = None
    if findings is not None:
        winners = {
            (one.measure.metric, one.measure.group): one.winner for one in findings.found.measures
        }
    levels = [
        (level, LEVEL_TITLES[level], comparison_rows(records_by_recipe, level, winners))
        for level in LEVELS
    ]
    everything = [record for records in records_by_recipe.values() for record in records]
    warnings = [] if findings is None else list(findings.warnings)
    if len({record.split for record in everything}) > 1:
        warnings.append(
            "The systems were not all judged on the same split: numbers of different splits stand "
            "in different rows and cannot be compared."
        )
    if len({record.task for record in everything}) > 1:
        warnings.append("The systems did not all do the same task; tasks stand in different rows.")
    write_page(
        path,
        "comparison.html.j2",
        title=title,
        systems=list(records_by_recipe),
        fingerprints={
            name: ", ".join(
                sorted({record.fingerprint for record in records if record.fingerprint})
            )
            for name, records in records_by_recipe.items()
        },
        splits=sorted({record.split for record in everything if record.split}),
        plates=[plate(strip) for strip in strips if strip.kind != "worst"],
        worst=[plate(strip) for strip in strips if strip.kind == "worst"],
        levels=[
            (level, name, comparison_tables(found, level)) for level, name, found in levels if found
        ],
        warnings=warnings,
        findings=findings,
        told=None if findings is None else told(findings),
        downloads=links(downloads or {}),
    )


@dataclass(frozen=True)
class ComparisonTable:
    """Rows of one table: of a group of cases, or of several where ``group`` is empty.

    ``where`` is what all rows have in common: data, protocol, split, task.
    """

    group: str
    where: str
    rows: tuple[ComparisonRow, ...]


def comparison_tables(rows: Sequence[ComparisonRow], level: Level) -> list[ComparisonTable]:
    """Test set and shifted sites have tables of their own; costs and arms of a study share one."""
    found: dict[str, list[ComparisonRow]] = {}
    for row in rows:
        own = row.group in ("test", "shifted") and level != "cost"
        found.setdefault(row.group if own else "", []).append(row)
    made = []
    for group, own_rows in found.items():
        places = {row.where for row in own_rows}
        where = places.pop() if len(places) == 1 else ""
        if where:
            own_rows = [replace(row, where="") for row in own_rows]
        made.append(ComparisonTable(group, where, tuple(own_rows)))
    return made
