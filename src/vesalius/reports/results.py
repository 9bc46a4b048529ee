"""The tables of the docs, made from ``benchmarks/results/*.json`` and never typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from vesalius.core.errors import InputError
from vesalius.core.record import Level, Record, read_records
from vesalius.reports.markdown import (
    baseline_cell,
    difference_cell,
    markdown_table,
    value_cell,
)
from vesalius.reports.rows import LEVELS, rows_by_metric

HEADER = ("task", "recipe", "metric", "group", "value (95 % interval)", "n", "baseline",
          "difference", "paired test", "floor", "data, protocol", "steps", "device", "split",
          "fingerprint")  # fmt: skip
_BLOCK = re.compile(
    r"(<!-- results:(?P<keys>[^>]*?)-->\n)(?P<table>.*?)(<!-- /results -->)", re.DOTALL
)


def collect(paths: Iterable[Path]) -> list[Record]:
    """All records of the files, in the order of their names; folders give their ``*.json``."""
    files: list[Path] = []
    for path in map(Path, paths):
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = []
    for file in sorted(set(files)):
        if not file.is_file():
            raise InputError(
                "a results file", came="none there", case=file, remedy="run the benchmark"
            )
        found += read_records(file)
    return found


def results_table(
    paths: Iterable[Path],
    *,
    task: str | None = None,
    recipe: str | None = None,
    level: Level | None = None,
    group: str | None = None,
) -> str:
    """A Markdown table of every record in ``paths``; the names select, None selects all."""
    records = [
        record
        for record in collect(paths)
        if task in (None, record.task)
        and recipe in (None, record.recipe)
        and level in (None, record.level)
        and group in (None, record.group)
    ]
    lines = []
    for kind in LEVELS if level is None else (level,):
        for metric in rows_by_metric(records, kind):
            for item in metric.rows:
                record = item.record
                where = " · ".join(
                    part for part in (metric.dataset, metric.protocol, record.note) if part
                )
                lines.append(
                    (
                        record.task, record.recipe, f"{metric.metric} {metric.arrow}", item.group,
                        value_cell(metric, item), item.n, baseline_cell(item),
                        difference_cell(item), item.p_value, item.floor, where,
                        str(record.steps) if record.steps else "", record.device, record.split,
                        record.fingerprint,
                    )
                )  # fmt: skip
    lines.sort(key=lambda line: line[0])
    return markdown_table(HEADER, lines)


def filled(document: str, paths: Iterable[Path]) -> str:
    """A Markdown document with its tables made anew.

    A table stands between ``<!-- results: task=... level=... -->`` and ``<!-- /results -->``; the
    keys are the selections of :func:`results_table`.
    """
    paths = list(paths)

    def table(match: re.Match[str]) -> str:
        keys = _keys(match["keys"])
        made = results_table(
            paths,
            task=keys.get("task"),
            recipe=keys.get("recipe"),
            level=_level(keys.get("level")),
            group=keys.get("group"),
        )
        return f"{match[1]}{made}{match[4]}"

    return _BLOCK.sub(table, document)


def _keys(text: str) -> dict[str, str]:
    keys = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name not in ("task", "recipe", "level", "group") or not value:
            raise InputError(
                "task=, recipe=, level= or group= in a results marker", came=f"'{word}'"
            )
        keys[name] = value
    return keys


def _level(text: str | None) -> Level | None:
    for level in LEVELS:
        if text == level:
            return level
    if text is not None:
        raise InputError(f"a level among {', '.join(LEVELS)}", came=f"'{text}'")
    return None
