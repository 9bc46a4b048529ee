"""What a comparison says, in sentences that claim no more than its tests do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vesalius.reports import numbers
from vesalius.reports.findings import ComparisonFindings
from vesalius.reports.rank_charts import percent
from vesalius.reports.rows import LEVELS
from vesalius.reports.verdict import FEW_PATIENTS, LEVEL_WORDS

if TYPE_CHECKING:
    from vesalius.evaluation.margins import MarginTest
    from vesalius.evaluation.subgroup_findings import SubgroupFinding
    from vesalius.evaluation.system_comparison import MeasureFindings

SUBGROUPS_NAMED = 4


def comparison_verdict(findings: ComparisonFindings) -> str:
    """A short verdict; paragraphs are parted by an empty line.

    A system is called best where adjusted tests tell it from every other one; else its lead is
    told with whom it is not told apart from. That no difference was found is never called equal.
    """
    found = findings.found
    groups = list(dict.fromkeys(one.measure.group for one in found.measures))
    if not groups:
        return "No metric has values that can be tested: the numbers stand side by side only."
    main = "test" if "test" in groups else groups[0]
    of_main = found.of(main)
    paragraphs = [_opening(findings, of_main, main)]
    for level in LEVELS:
        here = [one for one in of_main if one.measure.level == level]
        if here:
            paragraphs.append(f"{LEVEL_WORDS[level]}: {_level(here)}")
    paragraphs += [text for text in (_levels_disagree(of_main),) if text]
    for group in groups:
        if group != main:
            paragraphs.append(_other_group(group, found.of(group), of_main))
    paragraphs += [text for text in (_margins(findings.margins),) if text]
    paragraphs += [text for text in (_subgroups(findings.subgroups),) if text]
    return "\n\n".join(paragraphs)


def _opening(findings: ComparisonFindings, of_main: Sequence[MeasureFindings], main: str) -> str:
    n = max(one.n_patients for one in of_main)
    own = len(findings.systems) - (findings.baseline is not None)
    systems = f"{own} system{'s' if own != 1 else ''}"
    if findings.baseline is not None:
        systems += f" and what is used today ({findings.baseline})"
    winners = {one.winner for one in of_main}
    metrics = len(of_main)
    text = f"{systems} on the same {n} {main} patient{'s' if n != 1 else ''}. "
    sole = winners.pop() if len(winners) == 1 else None
    if sole is not None:
        many = "the metric" if metrics == 1 else f"all {metrics} metrics"
        text += f"{sole} is best on {many}, told apart from every other system."
    else:
        counts: dict[str, int] = {}
        for one in of_main:
            if one.winner is not None:
                counts[one.winner] = counts.get(one.winner, 0) + 1
        told = [f"{name} on {count}" for name, count in sorted(counts.items(), key=_by_count)]
        open_ = metrics - sum(counts.values())
        if told:
            text += f"No system is best throughout. Of {metrics} metrics, best and told apart from "
            text += f"every other system: {', '.join(told)}"
            text += f"; on {open_} nobody is." if open_ else "."
        else:
            text += (
                f"On none of {metrics} metrics is a system told apart from every other one."
                if metrics > 1
                else "No system is told apart from every other one."
            )
    tests = findings.found.n_tests.get(main, 0)
    text += f" Tests are paired by patient and adjusted by Holm for their number ({tests})."
    if n < FEW_PATIENTS:
        text += " So few patients leave room for chance: most differences would go undetected."
    return text


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _value(one: MeasureFindings, name: str) -> str:
    value, low, high = one.values[name]
    decimals = numbers.decimals_for(value, low, high)
    return numbers.with_unit(numbers.number(value, decimals), one.measure.unit)


def _level(found: Sequence[MeasureFindings]) -> str:
    """Winners with all their metrics, then every metric without one, then real against real."""
    sentences = []
    for winner in dict.fromkeys(one.winner for one in found if one.winner is not None):
        won = [one for one in found if one.winner == winner]
        if len(won) == 1:
            sentences.append(metric_sentence(won[0]))
            continue
        metrics = _listed([f"{one.measure.metric} ({_value(one, winner)})" for one in won])
        least = min(one.ranks.shares[winner][0] for one in won)
        share = percent(least) or "0 %"
        often = f"in {share}" if least == 1 else f"in {share} or more"
        sentences.append(
            f"{winner} is best on {metrics}, told apart from every other system and first {often} "
            "of resamples."
        )
    sentences += [metric_sentence(one) for one in found if one.winner is None]
    return " ".join(sentences) + _floors(found)


def _floors(found: Sequence[MeasureFindings]) -> str:
    """On how many metrics the leader reaches what real images score against real ones."""
    known = [
        one
        for one in found
        if one.floor is not None and math.isfinite(one.floor) and one.ranks.order
    ]
    if not known:
        return ""
    reached = sum(_reaches(one) for one in known)
    of_all = f"{reached or 'none'} of {len(known)} metric{'s' if len(known) > 1 else ''}"
    return (
        f" Best is not yet good: what real images score against real ones is reached on {of_all} "
        "by the interval of the best value."
    )


def _reaches(one: MeasureFindings) -> bool:
    value, low, high = one.values[one.ranks.order[0]]
    assert one.floor is not None
    if one.measure.direction == "up":
        return max(x for x in (value, high) if not math.isnan(x)) >= one.floor
    return min(x for x in (value, low) if not math.isnan(x)) <= one.floor


def metric_sentence(one: MeasureFindings) -> str:
    """Who has the best value of one metric, and from whom tests tell it apart."""
    metric, leader = one.measure.metric, one.leader
    if leader is None:
        first = [name for name, rank in one.ranks.ranks.items() if rank == 1]
        if all(math.isnan(one.values[name][0]) for name in first):
            return f"{metric} is not defined on these cases."
        if len(first) == len(one.values):
            return f"{metric} is the same for all ({_value(one, first[0])})."
        return f"{metric} is best, and the same, for {_listed(first)} ({_value(one, first[0])})."
    share = percent(one.ranks.shares[leader][0]) or "0 %"
    stable = f"first in {share} of resamples" if one.ranks.n_resamples else "not resampled"
    if one.winner is not None:
        return (
            f"{metric} is best for {leader} ({_value(one, leader)}; {stable}), told apart from "
            "every other system."
        )
    beside = [n for n in one.ranks.order if n != leader and not one.pair(leader, n).apart]
    return (
        f"{metric} has its best value with {leader} ({_value(one, leader)}; {stable}), not told "
        f"apart from {_listed(beside)}."
    )


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _levels_disagree(found: Sequence[MeasureFindings]) -> str:
    """That the levels have winners of their own, where they have."""
    by_level: dict[str, set[str]] = {}
    for one in found:
        if one.winner is not None:
            by_level.setdefault(one.measure.level, set()).add(one.winner)
    if len(by_level) < 2 or len(set.union(*by_level.values())) == 1:
        return ""
    told = "; ".join(f"{level}: {_listed(sorted(names))}" for level, names in by_level.items())
    return f"Who is best depends on what is asked ({told})."


def _other_group(
    group: str, found: Sequence[MeasureFindings], of_main: Sequence[MeasureFindings]
) -> str:
    """What changes on another group of cases."""
    main = {one.measure.metric: one for one in of_main}
    moved, kept = [], 0
    for one in found:
        twin = main.get(one.measure.metric)
        if twin is None:
            continue
        if one.leader == twin.leader:
            kept += 1
        else:
            moved.append(f"{one.measure.metric} ({twin.leader or 'a tie'}, here "
                         f"{one.leader or 'a tie'})")  # fmt: skip
    n = max(one.n_patients for one in found)
    name = "Shifted sites" if group == "shifted" else group.capitalize()
    text = f"{name} ({n} patients): the best value is of the same system on {kept} metrics"
    return text + (f" and of another on {len(moved)}: {'; '.join(moved)}." if moved else ".")


def _margins(tests: Sequence[MarginTest]) -> str:
    """Non-inferiority, as it was shown or not."""
    if not tests:
        return ""
    sentences = []
    for key in dict.fromkeys((t.measure.group, t.measure.metric, t.result.margin) for t in tests):
        here = [t for t in tests if (t.measure.group, t.measure.metric, t.result.margin) == key]
        group, metric, margin = key
        where = "" if group == "test" else f" on {group} cases"
        limit = numbers.with_unit(f"{margin:g}", here[0].measure.unit)
        shown = [t.system for t in here if t.shown]
        others = [t.system for t in here if not t.shown]
        text = f"{metric}{where}, margin {limit}: "
        parts = []
        if shown:
            parts.append(f"non-inferior to {here[0].reference}: {_listed(shown)}")
        if others:
            parts.append(f"not shown to be: {_listed(others)}")
        sentences.append(text + "; ".join(parts) + ".")
    return "Non-inferiority (one-sided at 0.025, adjusted by Holm). " + " ".join(sentences)


def _subgroups(found: Sequence[SubgroupFinding]) -> str:
    """The detectable gaps, the surest first, and how many were looked for."""
    tested = [one for one in found if not math.isnan(one.p_holm)]
    if not tested:
        return ""
    detected = sorted((one for one in tested if one.detected), key=lambda one: one.p_holm)
    text = f"Subgroups: of {len(tested)} tables, {len(detected) or 'none'} "
    text += f"show{'s' if len(detected) == 1 else ''} a group that is served worse than the others"
    text += " by more than chance"
    if not detected:
        return text + "; that does not show that groups are served alike."
    told = [
        f"{one.measure.metric} of {one.system} by {one.table.column}"
        f"{'' if one.measure.group == 'test' else f' ({one.measure.group})'}: "
        f"worst for {one.table.worst}, by "
        f"{numbers.with_unit(numbers.number(one.table.gap), one.measure.unit)} "
        f"({numbers.p_value(one.p_holm)})"
        for one in detected[:SUBGROUPS_NAMED]
    ]
    rest = len(detected) - len(told)
    return text + ": " + "; ".join(told) + (f"; and {rest} more in the tables." if rest else ".")
