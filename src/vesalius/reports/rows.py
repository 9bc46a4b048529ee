"""Records as rows to print: grouped by metric, compared with their baseline, worded with care."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vesalius.core.record import Direction, Level, Record
from vesalius.reports import numbers

ALPHA = 0.05
LEVELS: tuple[Level, ...] = ("pixel", "feature", "clinical", "cost")
ARROWS: dict[Direction, str] = {"up": "↑", "down": "↓", "zero": "→ 0"}
DIRECTION_WORDS: dict[Direction, str] = {
    "up": "higher is better",
    "down": "lower is better",
    "zero": "closer to zero is better",
}

Side = Literal["better", "worse", "equal"]
Outcome = Literal["better", "worse", "undetected", "untested", "equal", "none"]


@dataclass(frozen=True)
class Comparison:
    """A value beside its baseline: which side it falls on, by how much, and whether that is sure.

    ``detected`` is None where no test was made.
    """

    side: Side
    amount: float
    detected: bool | None

    @property
    def outcome(self) -> Outcome:
        """The word that may be claimed."""
        if self.side == "equal":
            return "equal"
        if self.detected is None:
            return "untested"
        return self.side if self.detected else "undetected"


def gain(direction: Direction, value: float, other: float) -> float:
    """How much better ``value`` is than ``other``; negative where it is worse."""
    if direction == "up":
        return value - other
    if direction == "down":
        return other - value
    return abs(other) - abs(value)


def compare(record: Record) -> Comparison | None:
    """The record against its baseline; None where either is missing or not defined."""
    if record.baseline_value is None:
        return None
    difference = gain(record.direction, record.value, record.baseline_value)
    if record.value == record.baseline_value:
        difference = 0.0
    if math.isnan(difference):
        return None
    tested = record.p_value is not None and not math.isnan(record.p_value)
    detected = (record.p_value < ALPHA) if tested and record.p_value is not None else None
    side: Side = "equal" if difference == 0 else "better" if difference > 0 else "worse"
    return Comparison(side, abs(difference), detected)


@dataclass(frozen=True)
class Row:
    """One record, ready to print; ``record`` is behind it."""

    record: Record
    group: str
    value: str
    interval: str
    n: str
    baseline: str
    baseline_value: str
    outcome: Outcome
    difference: str
    p_value: str
    floor: str


@dataclass(frozen=True)
class MetricRows:
    """All rows of one metric on one data set under one protocol."""

    metric: str
    unit: str
    direction: Direction
    recipe: str
    task: str
    dataset: str
    protocol: str
    rows: tuple[Row, ...]

    @property
    def arrow(self) -> str:
        """An arrow towards better values."""
        return ARROWS[self.direction]

    @property
    def direction_words(self) -> str:
        """The arrow in words."""
        return DIRECTION_WORDS[self.direction]


def row(record: Record) -> Row:
    """One record as text."""
    decimals = numbers.decimals_for(record.value, record.low, record.high)
    comparison = compare(record)
    has_baseline = record.baseline_value is not None
    return Row(
        record=record,
        group=record.group,
        value=numbers.number(record.value, decimals),
        interval=numbers.interval(record.low, record.high, decimals),
        n=str(record.n),
        baseline=record.baseline or ("baseline" if has_baseline else ""),
        baseline_value=numbers.beside(record.baseline_value, decimals) if has_baseline else "",
        outcome="none" if comparison is None else comparison.outcome,
        difference=_difference(comparison, decimals, has_baseline),
        p_value=numbers.p_value(record.p_value) if has_baseline else "",
        floor="" if record.floor is None else numbers.beside(record.floor, decimals),
    )


def rows_by_metric(records: Iterable[Record], level: Level | None = None) -> list[MetricRows]:
    """Every record of ``level`` (of all levels for None), by metric in order of appearance.

    Within a metric the held-out test set comes first, then the shifted sites, then other groups.
    """
    found: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if level is None or record.level == level:
            key = (
                record.level,
                record.task,
                record.recipe,
                record.dataset,
                record.protocol,
                record.metric,
                record.unit,
                record.direction,
            )
            found.setdefault(key, []).append(record)
    return [_metric_rows(group) for group in found.values()]


def group_order(group: str) -> int:
    """Test first, then shifted, then the rest as they come."""
    return {"test": 0, "shifted": 1}.get(group, 2)


def _metric_rows(records: Sequence[Record]) -> MetricRows:
    ordered = sorted(records, key=lambda record: group_order(record.group))
    first = ordered[0]
    return MetricRows(
        metric=first.metric,
        unit=first.unit,
        direction=first.direction,
        recipe=first.recipe,
        task=first.task,
        dataset=first.dataset,
        protocol=first.protocol,
        rows=tuple(row(record) for record in ordered),
    )


def _difference(comparison: Comparison | None, decimals: int, has_baseline: bool) -> str:
    if comparison is None:
        return numbers.UNDEFINED if has_baseline else ""
    if comparison.side == "equal":
        return "equal"
    amount = numbers.beside(comparison.amount, decimals)
    by = f"{comparison.side} by {amount}" if math.isfinite(comparison.amount) else comparison.side
    if comparison.outcome == "undetected":
        return f"{by}, not detectable"
    if comparison.outcome == "untested":
        return f"{by}, not tested"
    return by
