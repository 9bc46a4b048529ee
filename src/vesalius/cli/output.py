"""Results on standard output: tables and pages for people, JSON for scripts."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vesalius.core.record import Record


WIDTH = 160


def say(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")


def _strict(value: Any) -> Any:
    """``value`` without NaN and infinities, which JSON does not have: they become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return value


def say_json(value: Any) -> None:
    """``value`` as JSON on standard output, nothing else; NaN and infinities as null."""
    say(json.dumps(_strict(value), indent=1, allow_nan=False))


def say_table(title: str, rows: Sequence[Mapping[str, Any]], *, wide: str = "") -> None:
    """Rows as a table; the column ``wide`` takes what room there is."""
    from rich.console import Console
    from rich.table import Table

    # what is piped is not folded to the width of a terminal that is not there
    console = Console() if sys.stdout.isatty() else Console(file=sys.stdout, width=WIDTH)
    if not rows:
        say(f"{title}: none.")
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold", ratio=1 if name == wide else None)
    for row in rows:
        table.add_row(*("" if value is None else _cell(value) for value in row.values()))
    console.print(table, markup=False)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def record_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """What a person asks of records first: the value, its interval, and what is used today."""
    rows = []
    for record in records:
        interval = (
            f"{record.low:.4g} to {record.high:.4g}"
            if record.low is not None and record.high is not None
            else ""
        )
        baseline = (
            f"{record.baseline_value:.4g} ({record.baseline})"
            if record.baseline_value is not None
            else ""
        )
        floor = "" if record.floor is None else f"{record.floor:.4g}"
        arrow = {"up": "higher is better", "down": "lower is better", "zero": "zero is best"}
        rows.append(
            {
                "level": record.level,
                "of": record.recipe,
                "metric": record.metric,
                "value": f"{record.value:.4g} {record.unit if record.unit != '1' else ''}".strip(),
                "95 % interval": interval,
                "real to real": floor,
                "n": record.n or "",
                "baseline": baseline,
                "p": "" if record.p_value is None else f"{record.p_value:.2g}",
                "group": record.group,
                "": arrow[record.direction] if record.level != "cost" else "",
            }
        )
    return rows
