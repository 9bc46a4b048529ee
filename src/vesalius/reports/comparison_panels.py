"""Parts of a comparison's page that come from tests: a panel a metric, margins, subgroups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from vesalius.core.record import Level
from vesalius.reports import numbers
from vesalius.reports.comparison_verdict import comparison_verdict, metric_sentence
from vesalius.reports.content import Cell, Table
from vesalius.reports.findings import ComparisonFindings
from vesalius.reports.rank_charts import (
    margin_chart,
    rank_diagram,
    rank_shares,
    value_chart,
)
from vesalius.reports.rows import ARROWS, DIRECTION_WORDS

if TYPE_CHECKING:
    from vesalius.evaluation.margins import MarginTest
    from vesalius.evaluation.statistics import Summary
    from vesalius.evaluation.subgroup_findings import SubgroupFinding
    from vesalius.evaluation.system_comparison import MeasureFindings, Pair


#: Worst groups above the fold; those beyond chance are always there.
GAPS_SHOWN = 8


@dataclass(frozen=True)
class Panel:
    """What one metric says: a sentence, values, ranks, and the test of every pair."""

    metric: str
    unit: str
    arrow: str
    direction_words: str
    level: Level
    sentence: str
    values: Markup
    diagram: Markup
    diagram_words: str
    shares: Markup
    shares_words: str
    pairs: Table


@dataclass(frozen=True)
class MarginPanel:
    """Non-inferiority of every system for one stated margin."""

    title: str
    chart: Markup
    table: Table


@dataclass(frozen=True)
class Told:
    """All of it: paragraphs, panels by group of cases, margins, subgroups."""

    paragraphs: tuple[str, ...]
    panels: tuple[tuple[str, tuple[Panel, ...]], ...]
    margins: tuple[MarginPanel, ...]
    worst: Table | None
    less: Table | None
    subgroups: tuple[Table, ...]


def told(findings: ComparisonFindings) -> Told:
    """The findings, ready for the page."""
    groups = list(dict.fromkeys(one.measure.group for one in findings.found.measures))
    keys = dict.fromkeys((test.measure, test.result.margin) for test in findings.margins)
    worst = _worst(findings.subgroups)
    shown = max(GAPS_SHOWN, sum(one.detected for one in worst))
    return Told(
        paragraphs=tuple(comparison_verdict(findings).split("\n\n")),
        panels=tuple(
            (group, tuple(panel(one) for one in findings.found.of(group))) for group in groups
        ),
        margins=tuple(
            _margin([t for t in findings.margins if (t.measure, t.result.margin) == key])
            for key in keys
        ),
        worst=_worst_table(worst[:shown], "The worst groups"),
        less=_worst_table(worst[shown:], "The other worst groups"),
        subgroups=tuple(_subgroups(findings.subgroups)),
    )


def panel(one: MeasureFindings) -> Panel:
    """One metric of one group of cases."""
    measure = one.measure
    return Panel(
        metric=measure.metric,
        unit="" if measure.unit == "1" else measure.unit,
        arrow=ARROWS[measure.direction],
        direction_words=DIRECTION_WORDS[measure.direction],
        level=measure.level,
        sentence=metric_sentence(one),
        values=value_chart(one),
        diagram=rank_diagram(one),
        diagram_words=_diagram_words(one),
        shares=rank_shares(one),
        shares_words=_shares_words(one),
        pairs=_pairs(one),
    )


def _diagram_words(one: MeasureFindings) -> str:
    critical = one.critical
    if critical is None or len(critical.mean_ranks) < 3 or math.isnan(critical.p_value):
        return "" if critical is not None else "Over resamples of patients."
    return f"Over patients. Friedman's test of all systems: {numbers.p_value(critical.p_value)}."


def _shares_words(one: MeasureFindings) -> str:
    text = f"{one.ranks.n_resamples} resamples of patients."
    if math.isnan(one.ranks.tau):
        return text
    return (
        f"{text} Kendall's tau with the ranking on all: {numbers.number(one.ranks.tau, 2)} on "
        f"average, {numbers.number(one.ranks.tau_low, 2)} at the 5th percentile."
    )


def _pairs(one: MeasureFindings) -> Table:
    by_case = bool(one.summaries)
    columns = ["pair", "gain of the first", "95 % interval", "told apart", "p (Holm)"]
    columns += ["p (sign flips)", "effect"] if by_case else []
    rows: list[tuple[Cell, ...]] = []
    for pair in one.pairs:
        decimals = numbers.decimals_for(pair.gain, pair.low, pair.high)
        row: list[Cell] = [
            f"{pair.a} against {pair.b}",
            numbers.with_unit(numbers.number(pair.gain, decimals), one.measure.unit),
            "" if math.isnan(pair.low) else numbers.interval(pair.low, pair.high, decimals),
            _verdict(pair),
            numbers.p_value(pair.p_holm),
        ]
        if by_case:
            row += [numbers.p_value(pair.p_permutation), numbers.number(pair.effect, 2)]
        rows.append(tuple(row))
    note = (
        "Gain: how much better the first is, in means over cases. p: Wilcoxon's signed-rank test "
        "on patient means, adjusted; beside it the test of the mean under random sign flips, "
        "unadjusted. Effect: rank-biserial correlation, 1 where the first is better for every "
        "patient."
        if by_case
        else "Gain: how much better the first is. p: paired bootstrap of patients, adjusted."
    )
    return Table(f"{one.measure.metric}: every pair", tuple(columns), tuple(rows), note)


def _verdict(pair: Pair) -> str:
    if math.isnan(pair.p_holm):
        return "not tested"
    if not pair.apart:
        return "no difference found"
    # a test of ranks and a difference of means may point in different directions
    better = pair.effect if not math.isnan(pair.effect) else pair.gain
    return f"{pair.a if better > 0 else pair.b} is better"


def _margin(tests: Sequence[MarginTest]) -> MarginPanel:
    first = tests[0]
    measure, margin = first.measure, first.result.margin
    where = "" if measure.group == "test" else f" ({measure.group})"
    limit = numbers.with_unit(f"{margin:g}", measure.unit)
    rows: list[tuple[Cell, ...]] = []
    for test in tests:
        result = test.result
        decimals = numbers.decimals_for(result.gain, result.bound, result.gain)
        rows.append(
            (
                test.system,
                numbers.with_unit(numbers.number(result.gain, decimals), measure.unit),
                numbers.with_unit(numbers.number(result.bound, decimals), measure.unit),
                numbers.p_value(test.p_holm),
                str(result.n_patients),
                "non-inferior" if test.shown else "not shown",
            )
        )
    columns = ("system", "gain", "lower bound", "p (Holm)", "patients", "verdict")
    note = (
        "Gain: mean over patients of how much better the system is. Bound: one-sided 97.5 %, "
        "bootstrap of patients. p: of a loss of the margin or more; shown at 0.025. The margin is "
        "the user's."
    )
    title = f"{measure.metric}{where}: no more than {limit} worse than {first.reference}?"
    chart = margin_chart(
        {test.system: (test.result.gain, test.result.bound) for test in tests},
        margin,
        measure.unit,
        first.reference,
    )
    return MarginPanel(title, chart, Table("Tests", columns, tuple(rows), note))


def _worst(found: Sequence[SubgroupFinding]) -> list[SubgroupFinding]:
    """Every system, metric and column with a worst group, the surest gap first."""
    named = [one for one in found if one.table.worst is not None]
    return sorted(named, key=lambda one: (one.p_holm, one.table.p_value))


def _worst_table(found: Sequence[SubgroupFinding], title: str) -> Table | None:
    if not found:
        return None
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        n = dict(one.table.groups)[one.table.worst or ""].n_patients
        where = "" if one.measure.group == "test" else f" ({one.measure.group})"
        rows.append(
            (
                f"{one.measure.metric}{where}",
                one.system,
                one.table.column,
                f"{one.table.worst} ({n} patient{'s' if n != 1 else ''})",
                numbers.with_unit(numbers.number(one.table.gap), one.measure.unit),
                f"{'beyond chance' if one.detected else 'not detectable'} "
                f"({numbers.p_value(one.p_holm)})",
            )
        )
    columns = ("metric", "system", "by", "worst group", "behind the others by", "gap")
    note = (
        "The group whose mean is farthest behind that of all other cases. p: groups exchanged "
        "between patients, the largest gap of any group compared, adjusted by Holm. A gap that is "
        "not detectable may still be there: see how few patients a group has."
    )
    return Table(title, columns, tuple(rows), note)


def _subgroups(found: Sequence[SubgroupFinding]) -> list[Table]:
    """Means by group and system: one table for each metric and column."""
    keys = dict.fromkeys((one.measure, one.table.column) for one in found)
    made = []
    for measure, column in keys:
        here = [one for one in found if (one.measure, one.table.column) == (measure, column)]
        names = list(dict.fromkeys(name for one in here for name, _ in one.table.groups))
        rows: list[tuple[Cell, ...]] = []
        for name in names:
            summaries = [dict(one.table.groups)[name] for one in here]
            rows.append((name, str(summaries[0].n_patients), *map(_summary, summaries)))
        where = "" if measure.group == "test" else f" ({measure.group})"
        unit = "" if measure.unit == "1" else f", {measure.unit}"
        missing = here[0].table.n_missing
        note = "Mean over cases and its 95 % interval, bootstrap of patients."
        made.append(
            Table(
                f"{measure.metric}{unit} by {column}{where}",
                (column, "patients", *(one.system for one in here)),
                tuple(rows),
                note + (f" {missing} cases have no entry." if missing else ""),
            )
        )
    return made


def _summary(summary: Summary) -> str:
    decimals = numbers.decimals_for(summary.value, summary.low, summary.high)
    text = numbers.number(summary.value, decimals)
    if math.isnan(summary.low):
        return text
    return f"{text} ({numbers.interval(summary.low, summary.high, decimals)})"
