"""Records as a Markdown table, for the docs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vesalius.core.record import Record
from vesalius.reports.numbers import with_unit
from vesalius.reports.rows import LEVELS, MetricRows, Row, rows_by_metric

HEADER = ("level", "metric", "group", "value (95 % interval)", "n", "baseline", "difference",
          "paired test", "floor", "data, protocol")  # fmt: skip


def records_markdown(records: Iterable[Record]) -> str:
    """One row a record, by level and metric; columns that nobody fills are left out."""
    records = list(records)
    lines = [
        (level, *_cells(metric, item))
        for level in LEVELS
        for metric in rows_by_metric(records, level)
        for item in metric.rows
    ]
    return markdown_table(HEADER, lines)


def markdown_table(
    columns: Sequence[str], lines: Sequence[Sequence[str]], *, keep: Sequence[str] = ()
) -> str:
    """A Markdown table without its empty columns; those named in ``keep`` stay."""
    if not lines:
        return "No results.\n"
    used = [i for i, name in enumerate(columns) if name in keep or any(line[i] for line in lines)]
    table = [[columns[i] for i in used], ["---"] * len(used)]
    table += [[escaped(line[i]) for i in used] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in table)


def value_cell(metric: MetricRows, item: Row) -> str:
    """``"12.3 HU (11.0 to 13.9)"``."""
    value = with_unit(item.value, metric.unit)
    return f"{value} ({item.interval})" if item.interval else value


def baseline_cell(item: Row) -> str:
    """``"45.1 (zero filling)"``."""
    return f"{item.baseline_value} ({item.baseline})" if item.baseline_value else ""


def difference_cell(item: Row) -> str:
    """The difference; bold only where a test finds it."""
    return f"**{item.difference}**" if item.outcome in ("better", "worse") else item.difference


def escaped(text: str) -> str:
    """``text`` without what would break the table or be read as HTML."""
    flat = " ".join(text.split())
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _cells(metric: MetricRows, item: Row) -> tuple[str, ...]:
    return (
        f"{metric.metric} {metric.arrow}",
        item.group,
        value_cell(metric, item),
        item.n,
        baseline_cell(item),
        difference_cell(item),
        item.p_value,
        item.floor,
        " · ".join(part for part in (metric.dataset, metric.protocol, item.record.note) if part),
    )
