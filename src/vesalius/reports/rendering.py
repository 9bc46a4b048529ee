"""Templates to pages: everything escaped, one file, nothing fetched."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from vesalius.core.files import write_atomically
from vesalius.core.record import Level, Record
from vesalius.reports import charts, numbers, rows
from vesalius.reports.colours import UNDEFINED_COLOUR

LEVEL_TITLES: dict[Level, str] = {
    "pixel": "Pixels: how close the image is",
    "feature": "Features: how alike the sets of images are",
    "clinical": "Clinical: what the image is for",
    "cost": "Cost",
}
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")


@cache
def environment() -> jinja2.Environment:
    """The templates of this package, with autoescape on."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("vesalius.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(cell=cell, pretty_json=pretty_json, doi=doi, legend=charts.legend)
    made.globals.update(
        chart=charts.chart, undefined_colour="#{:02x}{:02x}{:02x}".format(*UNDEFINED_COLOUR)
    )
    return made


def write_page(path: Path, template: str, **names: Any) -> None:
    """Render ``template`` and write it whole or not at all."""
    text = environment().get_template(template).render(**names)
    write_atomically(Path(path), text.encode("utf-8", "replace"))


def cell(value: str | int | float | None) -> str:
    """A table's cell as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return numbers.number(value) if isinstance(value, float) else str(value)


def pretty_json(data: Any) -> str:
    """Indented JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False, default=str)


def doi(text: str) -> Markup | str:
    """A DOI as a link; what is none stays text."""
    bare = text.strip().removeprefix("https://doi.org/").removeprefix("doi:").strip()
    if not _DOI.fullmatch(bare):
        return text
    return Markup('<a href="https://doi.org/{}" rel="noreferrer">doi:{}</a>').format(bare, bare)


def fact_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts as (name, text): seconds as a length of time, mappings as "train 120 · test 24"."""
    found = []
    for name, value in facts.items():
        if name == "seconds" and isinstance(value, (int, float)) and not isinstance(value, bool):
            found.append(("time", numbers.duration(float(value))))
        else:
            found.append((str(name).replace("_", " "), _fact(value)))
    return found


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{name} {_fact(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_fact(inner) for inner in value)
    if value is None:
        return "not recorded"
    return cell(value)


def records_table(records: Iterable[Record], level: Level) -> Markup:
    """The HTML table of all records of ``level``; empty where there are none.

    A metric's groups (test, shifted, arms) are its rows. "Better" and "worse" are said in words and
    coloured only where the paired test finds a difference.
    """
    metrics = rows.rows_by_metric(records, level)
    if not metrics:
        return Markup("")
    shown = [item for metric in metrics for item in metric.rows]
    tested = [item for item in shown if item.record.p_value is not None]
    recipes = len({metric.recipe for metric in metrics}) > 1
    tasks = len({metric.task for metric in metrics}) > 1
    places = [
        (metric.recipe if recipes else "", metric.task if tasks else "", metric.dataset,
         metric.protocol)
        for metric in metrics
    ]  # fmt: skip
    where = [" · ".join(part for part in place if part) for place in places]
    shared = where[0] if len(set(where)) == 1 else ""
    text = (
        environment()
        .get_template("records.html.j2")
        .render(
            caption=LEVEL_TITLES[level],
            metrics=[
                (
                    metric,
                    "" if shared else told,
                    [(item, _plot(item, metric)) for item in metric.rows],
                )
                for metric, told in zip(metrics, where, strict=True)
            ],
            shared=shared,
            groups=any(item.group != "test" for item in shown),
            baselines=any(item.record.baseline_value is not None for item in shown),
            floors=any(item.floor for item in shown),
            notes=any(item.record.note for item in shown),
            tested=len(tested),
            adjusted=all("Holm" in item.record.note for item in tested),
            alpha=rows.ALPHA,
        )
    )
    return Markup(text)  # noqa: S704  made by an autoescaping template


def _plot(row: rows.Row, metric: rows.MetricRows) -> Markup:
    values = [
        value
        for item in (row_.record for row_ in metric.rows)
        for value in (item.value, item.low, item.high, item.baseline_value, item.floor)
        if value is not None and math.isfinite(value)
    ]
    record = row.record
    beside = [record.low, record.high, record.baseline_value, record.floor]
    drawable = any(value is not None and math.isfinite(value) for value in beside)
    if not math.isfinite(record.value) or not drawable or min(values) == max(values):
        return Markup("")
    return charts.interval_plot(
        record.value,
        record.low,
        record.high,
        record.baseline_value,
        record.floor,
        extent=(min(values), max(values)),
        outcome=row.outcome,
    )
