"""What the numbers say, in sentences that claim no more than they do."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vesalius.core.record import Level, Record
from vesalius.reports import numbers
from vesalius.reports.rows import LEVELS, Comparison, compare, gain, group_order

METRICS_NAMED = 3  # a level; the others are counted, and the worse ones are named
GROUPS_NAMED = 6
FEW_PATIENTS = 10
LEVEL_WORDS: dict[Level, str] = {
    "pixel": "Pixels",
    "feature": "Features",
    "clinical": "Clinical measures",
    "cost": "Cost",
}


def verdict(records: Sequence[Record], *, held_out: bool = True) -> str:
    """A short verdict; paragraphs are parted by an empty line.

    ``held_out`` says whether the patients are known to be new to what is judged.

    It opens with how many metrics are better, worse or not detectably different from their
    baseline, then tells the first metrics of each level, names every worse one, and the gap on
    shifted sites.
    A metric counts as better or worse where its paired test gives p < 0.05.
    """
    if not records:
        return "Nothing was measured."
    systems = list(dict.fromkeys((record.task, record.recipe) for record in records))
    paragraphs = []
    for task, recipe in systems:
        own = [item for item in records if (item.task, item.recipe) == (task, recipe)]
        if len(systems) > 1:
            paragraphs.append(f"{recipe} on {task}:")
        paragraphs += _system_paragraphs(own, held_out)
    return "\n\n".join(paragraphs)


def _system_paragraphs(records: Sequence[Record], held_out: bool) -> list[str]:
    judged = [record for record in records if record.level != "cost"]
    main = [record for record in judged if record.group == "test"]
    groups = not main
    if groups:
        main = sorted(
            (record for record in judged if record.group != "shifted"),
            key=lambda record: group_order(record.group),
        )
    paragraphs = [text for text in (_opening(main, groups, held_out),) if text]
    for level in LEVELS:
        here = [record for record in main if record.level == level]
        if here:
            paragraphs.append(
                _level_paragraph(level, here, GROUPS_NAMED if groups else METRICS_NAMED)
            )
    shifted = [record for record in judged if record.group == "shifted"]
    if shifted:
        paragraphs.append(_shifted(shifted, judged))
    cost = [record for record in records if record.level == "cost"]
    if cost:
        told = "; ".join(f"{_subject(item)} {_measured(item)}" for item in cost[:METRICS_NAMED])
        paragraphs.append(f"Cost: {told}.")
    return paragraphs


def _opening(records: Sequence[Record], groups: bool, held_out: bool) -> str:
    """Who was judged, and the count of outcomes."""
    sizes = sorted({record.n for record in records if record.n > 0})
    sentences = []
    if sizes and not groups:
        span = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        who = f"{'held-out ' if held_out else ''}{'patient' if sizes == [1] else 'patients'}"
        sentences.append(f"Judged on {span} {who}.")
    elif sizes:
        span = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        sentences.append(f"{span} patients a group.")
    elif records:
        sentences.append("The number of patients was not recorded.")
    found = [comparison for comparison in map(compare, records) if comparison is not None]
    tested = [item for item in found if item.detected is not None]
    if tested:
        sentences.append(_count(tested))
    untested = len(found) - len(tested)
    if untested:
        sentences.append(
            f"{untested} {'comparison has' if untested == 1 else 'comparisons have'} no test."
        )
    without = sum(record.baseline_value is None for record in records)
    if without and records:
        many = "number has" if without == 1 else "numbers have"
        sentences.append(f"{without} {many} no baseline to compare with.")
    if sizes and sizes[0] < FEW_PATIENTS:
        sentences.append(
            "So few patients leave room for chance: read intervals and tests with care."
        )
    return " ".join(sentences)


def _count(tested: Sequence[Comparison]) -> str:
    total = len(tested)
    better = sum(item.outcome == "better" for item in tested)
    worse = sum(item.outcome == "worse" for item in tested)
    same = total - better - worse
    parts = []
    if better:
        parts.append(f"better than the baseline on {better}")
    if worse:
        parts.append(f"worse on {worse}" if better else f"worse than the baseline on {worse}")
    if same:
        parts.append(f"no difference detected on {same}")
    noun = "tested comparison" if total == 1 else "tested comparisons"
    return f"Of {total} {noun}: {', '.join(parts)}."


def _level_paragraph(level: Level, records: Sequence[Record], most: int) -> str:
    told = list(records[:most])
    rest = list(records[most:])
    sentences = [_sentence(record) for record in told]
    worse = [
        _subject(record)
        for record in rest
        if (comparison := compare(record)) is not None and comparison.outcome == "worse"
    ]
    if worse:
        sentences.append(f"Also worse than the baseline: {', '.join(worse)}.")
    if rest:
        others = "other number is" if len(rest) == 1 else "other numbers are"
        sentences.append(f"{len(rest)} {others} in the table.")
    return f"{LEVEL_WORDS[level]}: " + " ".join(sentences)


def _subject(record: Record) -> str:
    group = "" if record.group in ("test", "shifted") else f" ({record.group})"
    return f"{record.metric}{group}"


def _measured(record: Record) -> str:
    decimals = numbers.decimals_for(record.value, record.low, record.high)
    text = numbers.with_unit(numbers.number(record.value, decimals), record.unit)
    span = numbers.interval(record.low, record.high, decimals)
    return f"{text} (95 % interval {span})" if span else text


def _sentence(record: Record) -> str:
    if math.isnan(record.value):
        return f"{_subject(record)} is not defined on these data."
    text = f"{_subject(record)} is {_measured(record)}"
    if record.low is None or record.high is None:
        text += ", without an interval"
    text += _against_baseline(record)
    return text + _against_floor(record) + "."


def _against_baseline(record: Record) -> str:
    if record.baseline_value is None:
        return ""
    decimals = numbers.decimals_for(record.value, record.low, record.high)
    name = record.baseline or "the baseline"
    if math.isnan(record.baseline_value):
        return f"; {name} is not defined here"
    level = numbers.with_unit(numbers.beside(record.baseline_value, decimals), record.unit)
    test = f"paired test {numbers.p_value(record.p_value)}"
    comparison = compare(record)
    if comparison is None:
        return f"; {name} has {level}, and the two cannot be compared"
    if comparison.outcome == "equal":
        return f", the same as {name}"
    if comparison.outcome == "untested":
        return f"; {name} has {level} (not tested, so no claim)"
    if comparison.outcome == "undetected":
        return f", with no detectable difference from {name} ({level}; {test})"
    word: str = comparison.side
    if record.direction == "zero":
        word = "closer to zero, so better," if word == "better" else "further from zero, so worse,"
    return f", {word} than {name} ({level}; {test})"


def _against_floor(record: Record) -> str:
    if record.floor is None or math.isnan(record.floor):
        return ""
    decimals = numbers.decimals_for(record.value, record.low, record.high)
    floor = numbers.with_unit(numbers.beside(record.floor, decimals), record.unit)
    text = f"; real images against real images score {floor}"
    if (
        record.low is not None
        and record.high is not None
        and record.low <= record.floor <= record.high
    ):
        text += ", which is inside the interval"
    return text


def _shifted(shifted: Sequence[Record], judged: Sequence[Record]) -> str:
    """How the numbers change on sites that were held out whole."""
    sizes = sorted({record.n for record in shifted if record.n > 0})
    patients = "" if not sizes else f" ({sizes[-1]} patient{'' if sizes[-1] == 1 else 's'})"
    sentences = []
    for record in shifted[:METRICS_NAMED]:
        if math.isnan(record.value):
            sentences.append(f"{record.metric} is not defined.")
            continue
        text = f"{record.metric} is {_measured(record)}"
        twin = next((item for item in judged if item.group == "test" and _same(item, record)), None)
        sentences.append(text + (_gap(record, twin) if twin else "") + ".")
    rest = len(shifted) - METRICS_NAMED
    if rest > 0:
        sentences.append(
            f"{rest} other {'number is' if rest == 1 else 'numbers are'} in the tables."
        )
    return f"Shifted sites{patients}: " + " ".join(sentences)


def _gap(shifted: Record, test: Record) -> str:
    difference = gain(shifted.direction, shifted.value, test.value)
    if math.isnan(difference):
        return ""
    if difference == 0 or shifted.value == test.value:
        return ", as on the test set"
    decimals = numbers.decimals_for(shifted.value, shifted.low, shifted.high)
    amount = numbers.beside(abs(difference), decimals)
    size = f"{numbers.with_unit(amount, shifted.unit)} " if math.isfinite(difference) else ""
    word = "better" if difference > 0 else "worse"
    bounds = (shifted.low, shifted.high, test.low, test.high)
    if any(bound is None or not math.isfinite(bound) for bound in bounds):
        return f", {size}{word} than on the test set"
    overlap = shifted.low <= test.high and test.low <= shifted.high  # type: ignore[operator]
    return (
        f", {size}{word} than on the test set (the intervals {'' if overlap else 'do not '}overlap)"
    )


def _same(one: Record, other: Record) -> bool:
    return (one.metric, one.unit, one.direction, one.protocol, one.level) == (
        other.metric,
        other.unit,
        other.direction,
        other.protocol,
        other.level,
    )
