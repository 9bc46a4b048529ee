"""Tables of cases: CSV and TSV files."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from vesalius.core.errors import InputError
from vesalius.data.files import broken, require_file

_PARTITIONS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_ABSENT = ("", "n/a", "na", "nan", "null")


def read_table(path: Path, *columns: str) -> list[dict[str, str]]:
    """The rows of a CSV (or, by suffix, TSV) file; raises InputError unless it has ``columns``."""
    require_file(path)
    delimiter = "\t" if path.suffix == ".tsv" else ","
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            found = [name.strip() for name in reader.fieldnames or ()]
            for column in columns:
                if column not in found:
                    raise InputError(
                        f"a column '{column}'", came=", ".join(found) or "no columns", case=path
                    )
            rows = []
            for row in reader:
                if None in row or None in row.values():
                    raise InputError(
                        f"{len(found)} cells in every row",
                        came=f"another number in line {reader.line_num}",
                        case=path,
                    )
                rows.append({name.strip(): cell.strip() for name, cell in row.items()})
    except (UnicodeDecodeError, csv.Error) as error:
        raise broken("table", path, error) from error
    if not rows:
        raise InputError("at least one row", came="none", case=path)
    return rows


def covariates(row: Mapping[str, str], without: Iterable[str]) -> dict[str, float | str]:
    """The cells of a row but those ``without``: numbers where they are, absent ones left out."""
    left_out = set(without)
    found: dict[str, float | str] = {}
    for name, cell in row.items():
        if name in left_out or cell.lower() in _ABSENT:
            continue
        try:
            number = float(cell)
        except ValueError:
            found[name] = cell
        else:
            found[name] = number if math.isfinite(number) else cell
    return found


def partition_name(text: str) -> str:
    """``text`` in the words of :class:`~vesalius.data.split.SplitRule`, unknown words unchanged.

    >>> partition_name("val"), partition_name("multicoil"), partition_name("")
    ('validation', 'multicoil', '')
    """
    return _PARTITIONS.get(text.strip().lower(), text.strip())
