"""The numbers of a page as files that it carries."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from vesalius.core.record import Record

KINDS = {".json": "application/json", ".csv": "text/csv"}


def number_files(records: Sequence[Record]) -> dict[str, bytes]:
    """All records as ``numbers.json`` and ``numbers.csv``; nothing where there are none."""
    if not records:
        return {}
    rows = [record.to_json() for record in records]
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    whole = json.dumps(rows, indent=1, allow_nan=True) + "\n"
    return {"numbers.json": whole.encode(), "numbers.csv": table.getvalue().encode()}


def links(files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Name and data URI of JSON and CSV files."""
    return [
        (name, f"data:{KINDS[Path(name).suffix]};base64," + base64.b64encode(data).decode())
        for name, data in files.items()
    ]
