"""Every named protocol on the data at hand, one line each, from ``benchmarks/results``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
#: Numbers of a protocol that its line shows; the file has all.
SHOWN = 7


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _number(row: dict[str, Any]) -> str:
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    span = f" ({_short(row['low'])} to {_short(row['high'])})" if row["low"] is not None else ""
    floor = f"; real {_short(row['floor'])}" if row["floor"] is not None else ""
    group = "" if row["group"] == "test" else f", {row['group']}"
    return f"{row['metric']}{group} {_short(row['value'])}{unit}{span}{floor}"


def table() -> str:
    """Markdown: protocol, data, software, numbers, what deviates."""
    rows = json.loads((RESULTS / "protocols.json").read_text(encoding="utf-8"))["rows"]
    lines = [
        "| protocol, images, who drew | numbers | not as published |",
        "| --- | --- | --- |",
    ]
    for name in dict.fromkeys(row["protocol"] for row in rows):
        own = [row for row in rows if row["protocol"] == name]
        # what is measured of real images alone is for the file
        told = [row for row in own if not row["metric"].endswith("of the real")]
        told.sort(key=lambda row: row["level"] == "feature" and row["floor"] is None)
        more = len(told) - SHOWN
        numbers = "<br>".join(map(_number, told[:SHOWN])) + (f"<br>and {more}" if more > 0 else "")
        first = own[0]
        who = f"**{name}**<br>{first['data']} (n = {first['n']})<br>*{first['software']}*"
        cells = (who, numbers, first["deviates"])
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """The table, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "protocol_runs.md").write_text(table(), encoding="utf-8")
