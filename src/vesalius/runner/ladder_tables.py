"""The corruption ladder that was measured, as tables of a report."""

from __future__ import annotations

from collections.abc import Iterable

from vesalius.core.record import Level
from vesalius.evaluation.ladder.reference import LadderLine, reference_ladder
from vesalius.reports import Table

NOTE = (
    "Measured on other images than these: known faults were planted in real sets, from slight to "
    "gross. A cell is the least severity at which some measure of the level notices most sets, and "
    "the measure that notices it first; “not noticed” means not at any severity tried. A level "
    "that is silent here cannot vouch for these images either."
)


def ladder_tables() -> tuple[Table, ...]:
    """A table for each kind of images on which ``benchmarks/corruption_ladder.py`` ran."""
    return tuple(_table(name, lines) for name, lines in reference_ladder().items())


def _table(name: str, lines: Iterable[LadderLine]) -> Table:
    by_corruption: dict[str, dict[Level, LadderLine]] = {}
    for line in lines:
        by_corruption.setdefault(line.corruption, {})[line.level] = line
    levels = tuple(dict.fromkeys(level for found in by_corruption.values() for level in found))
    rows = []
    for corruption, found in by_corruption.items():
        first = next(iter(found.values()))
        cells = (_cell(found[level]) if level in found else "no measure" for level in levels)
        rows.append((f"{corruption}: {first.what}", first.severity_unit, *cells))
    columns = ("planted fault", "severity in", *(f"{level} level" for level in levels))
    return Table(f"Corruption ladder on {name}", columns, tuple(rows), NOTE)


def _cell(line: LadderLine) -> str:
    if line.severity is None:
        return "not noticed"
    return f"from {line.severity:g}: {line.judge or 'several together'}"
