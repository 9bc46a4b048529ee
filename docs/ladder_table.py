"""The corruption ladder as tables, a heat map and a finding, from ``benchmarks/results``."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from families_table import wilson

from vesalius.core.record import Level
from vesalius.evaluation.ladder import JudgeLine, Ladder
from vesalius.evaluation.ladder.reference import sharpest

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
GREY = "#8a8a8a"
LEVELS: tuple[Level, ...] = ("pixel", "feature", "clinical")
FILES = {"digital patients": "digital", "chest X-rays": "xrays"}
TITLES = {
    "digital patients": "Digital patients, whose truth is known",
    "chest X-rays": "Real chest X-rays",
}
#: Colours of the heat map reach from one, the edge of a judge's interval, to this strength.
STRONGEST = 100.0
PLAUSIBLE, IMPOSSIBLE = "lesion at a plausible place", "lesion at an impossible place"


@cache
def content() -> dict[str, Any]:
    """What ``benchmarks/corruption_ladder.py`` wrote."""
    found: dict[str, Any] = json.loads((RESULTS / "corruption_ladder.json").read_text())
    return found


@cache
def ladders() -> dict[str, Ladder]:
    """By the name of the data."""
    return {name: Ladder.from_json(one["ladder"]) for name, one in content()["ladders"].items()}


def amount(ladder: Ladder, corruption: str, severity: float | None) -> str:
    """A severity as it is read, or a dot for none."""
    if severity is None:
        return "·"
    unit = next(c["severity_unit"] for c in ladder.corruptions if c["name"] == corruption)
    return f"{100 * severity:g} %" if unit.startswith("of the patients") else f"{severity:g}"


def names(ladder: Ladder) -> list[str]:
    """Corruptions in their order."""
    return [one["name"] for one in ladder.corruptions]


def greatest(ladder: Ladder, corruption: str) -> tuple[float, ...]:
    """Strengths of all judges at the greatest severity."""
    severities = next(c["severities"] for c in ladder.corruptions if c["name"] == corruption)
    return ladder.rung(corruption, max(severities)).strengths


def better(judge: JudgeLine, strength: float) -> bool:
    """Whether the judge calls the corrupted set better than real ones."""
    return (judge.direction == "up" and strength > 0) or (
        judge.direction == "down" and strength < 0
    )


def table(ladder: Ladder) -> str:
    """Markdown: a line a judge, a column a corruption, the least severity that is noticed."""
    corruptions = names(ladder)
    lines = [
        "| | " + " | ".join(corruptions) + " | real sets |",
        "| --- |" + " --- |" * (len(corruptions) + 1),
    ]
    for level in LEVELS:
        own = [k for k, judge in enumerate(ladder.judges) if judge.level == level]
        if not own:
            continue
        lines.append(f"| **{level} level** |" + " |" * (len(corruptions) + 1))
        for k in own:
            judge = ladder.judges[k]
            cells = []
            for name in corruptions:
                least = ladder.smallest_noticed(name, k)
                cell = amount(ladder, name, least)
                wrong = least is not None and better(judge, greatest(ladder, name)[k])
                cells.append(f"{cell} (better!)" if wrong else cell)
            span = f"{judge.median:.3g} ({judge.low:.3g} to {judge.high:.3g})"
            lines.append(f"| {judge.title} | {' | '.join(cells)} | {span} |")
    return "\n".join(lines) + "\n"


def levels_table(ladder: Ladder) -> str:
    """Markdown: a line a corruption, a column a level, with the judge that sees it best."""
    there = [level for level in LEVELS if any(j.level == level for j in ladder.judges)]
    lines = [
        f"| corruption | what is done | {' | '.join(f'{level} level' for level in there)} |",
        "| --- | --- |" + " --- |" * len(there),
    ]
    for corruption in ladder.corruptions:
        cells = []
        for level in there:
            least = ladder.level_notices(corruption["name"], level)
            seen = sharpest(ladder, corruption["name"], level) or "several together"
            cell = amount(ladder, corruption["name"], least)
            cells.append(f"from {cell}: {seen}" if least is not None else cell)
        name, what = corruption["name"], corruption["what"]
        lines.append(f"| {name} | {what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(ladder: Ladder, path: Path) -> None:
    """The heat map: strength at the greatest severity; numbers are the least that is noticed."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "vesalius"
    from matplotlib import pyplot

    corruptions = [name for name in names(ladder) if name != "nothing"]
    order = [k for level in LEVELS for k, j in enumerate(ladder.judges) if j.level == level]
    height = 1.9 + 0.19 * len(order)
    figure, axes = pyplot.subplots(figsize=(8.8, height))
    top = math.log10(STRONGEST)
    values = [[_shade(greatest(ladder, name)[k]) for name in corruptions] for k in order]
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1.25 * top, aspect="auto")
    for row, k in enumerate(order):
        for column, name in enumerate(corruptions):
            least = ladder.smallest_noticed(name, k)
            if least is None:
                continue
            wrong = better(ladder.judges[k], greatest(ladder, name)[k])
            dark = values[row][column] > 0.6 * top
            axes.text(
                column,
                row,
                amount(ladder, name, least) + ("!" if wrong else ""),
                ha="center",
                va="center",
                fontsize=6,
                color="white" if dark else "#303030",
            )
    for row in range(1, len(order)):
        if ladder.judges[order[row]].level != ladder.judges[order[row - 1]].level:
            axes.axhline(row - 0.5, color=GREY, linewidth=1.2)
    axes.set_xticks(range(len(corruptions)), corruptions, rotation=30, ha="left", fontsize=7)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(order)), [ladder.judges[k].title for k in order], fontsize=6)
    axes.tick_params(colors=GREY, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    first = 0
    for level in LEVELS:
        count = sum(ladder.judges[k].level == level for k in order)
        if count:
            axes.text(
                len(corruptions) - 0.4,
                first + (count - 1) / 2,
                level,
                rotation=270,
                va="center",
                color=GREY,
                fontsize=8,
            )
        first += count
    figure.tight_layout()
    figure.savefig(path, transparent=True, metadata={"Date": None})
    pyplot.close(figure)


def _shade(strength: float) -> float:
    size = abs(strength)
    if math.isnan(size) or size <= 1:
        return 0.0
    return math.log10(min(size, STRONGEST))


def _list(found: Sequence[str]) -> str:
    return ", ".join(found[:-1]) + f" and {found[-1]}" if len(found) > 1 else "".join(found)


def _asked(judge: JudgeLine) -> bool:
    """Whether the judge is asked where a lesion lies, and not only whether there is one."""
    return judge.name.startswith("lesions where")


def specific(ladder: Ladder) -> list[str]:
    """Judges that notice lesions where none can be, and not the same lesions elsewhere."""
    return [
        judge.title
        for k, judge in enumerate(ladder.judges)
        if ladder.smallest_noticed(IMPOSSIBLE, k) is not None
        and ladder.smallest_noticed(PLAUSIBLE, k) is None
    ]


def _seen(ladder: Ladder, corruption: str, judges: Sequence[int]) -> str:
    """How many of some judges notice a corruption, and from when on."""
    found = [(ladder.smallest_noticed(corruption, k), k) for k in judges]
    known = [least for least, _ in found if least is not None]
    if not known:
        return f"never (0 of {len(judges)} judges)"
    first = amount(ladder, corruption, min(known))
    return f"from {first} of the patients ({len(known)} of {len(judges)} judges)"


def lesion_finding() -> str:
    """Who sees a tumour that looks real in a place where none can be."""
    ladder = ladders()["digital patients"]
    groups: dict[str, list[int]] = {}
    for k, judge in enumerate(ladder.judges):
        name = f"{judge.level} level"
        if judge.level == "clinical":
            name += ", asked about the place" if _asked(judge) else ", not asked about the place"
        groups.setdefault(name, []).append(k)
    lines = [
        "Real lesions of other patients were put into the skull, the scalp and the ventricles, "
        "where none can be, and the same lesions into the brain:\n",
        "| level | noticed where none can be | noticed in the brain |",
        "| --- | --- | --- |",
    ]
    for name, own in groups.items():
        cells = [_seen(ladder, corruption, own) for corruption in (IMPOSSIBLE, PLAUSIBLE)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    told = specific(ladder)
    asked = [judge.title for judge in ladder.judges if _asked(judge)]
    both = [name for name in asked if name not in told]
    lines.append("")
    if told:
        lines.append(
            "Noticed where none can be and never in the brain, so that the place itself was seen "
            f"and not just one lesion more: {'; '.join(told)}.\n"
        )
    else:
        lines.append("No judge tells the impossible place from the plausible one.\n")
    if both:
        lines.append(f"Asked about the place, and yet no help: {'; '.join(both)}.\n")
    return "\n".join(lines)


def control_sentence(ladder: Ladder) -> str:
    """How often uncorrupted sets were noticed."""
    control = ladder.control
    assert control is not None
    low, high = wilson(control.sets_noticed / control.sets, control.sets)
    rung = ladder.rung("nothing", 0.0)
    return (
        f"A set has {ladder.patients_a_set} patients; {ladder.real_sets} uncorrupted sets make "
        f"the intervals, and every rung corrupts {ladder.corrupted_sets}. A judge notices a set "
        f"that lies more than {ladder.threshold:.2f} times as far off as the edge of its own 95 % "
        "interval, so that one uncorrupted set in twenty is noticed by any of the "
        f"{len(ladder.judges)} judges at all. Of {control.sets} uncorrupted sets of patients of "
        f"whom the ladder knew nothing, {control.sets_noticed} were noticed by any "
        f"({100 * max(low, 0):.0f} to {100 * high:.0f} %), {control.noticed} of "
        f"{control.answers} single answers lay beyond the threshold, and "
        f"{100 * control.outside / control.answers:.1f} % beyond the 95 % interval of "
        "one judge. On the uncorrupted rung some judge noticed "
        f"{round(rung.any_noticed['any'] * ladder.corrupted_sets)} of {ladder.corrupted_sets} "
        "sets.\n"
    )


def blind_sentence(ladder: Ladder) -> str:
    """Corruptions that a level does not notice at all, and who calls them better."""
    parts = []
    for level in LEVELS:
        if not any(judge.level == level for judge in ladder.judges):
            continue
        missed = [
            name
            for name in names(ladder)
            if name != "nothing" and ladder.level_notices(name, level) is None
        ]
        parts.append(
            f"{level} level: {_list(missed)}" if missed else f"{level} level: nothing was missed"
        )
    praised = []
    for name in names(ladder):
        found = [
            judge.title
            for k, judge in enumerate(ladder.judges)
            if ladder.smallest_noticed(name, k) is not None
            and better(judge, greatest(ladder, name)[k])
        ]
        if found:
            praised.append(f"{name} ({_list(found)})")
    lines = [f"Not noticed at any severity. {'. '.join(p[0].upper() + p[1:] for p in parts)}.\n"]
    if praised:
        lines.append(f"Noticed, but called better than real: {'; '.join(praised)}.\n")
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Everything that the page includes, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ladder_finding.md").write_text(lesion_finding(), encoding="utf-8")
    parts = []
    for name, ladder in ladders().items():
        short = FILES[name]
        draw(ladder, folder / f"ladder_{short}.svg")
        shutil.copy(RESULTS / f"corruption_ladder_{short}.png", folder)
        of = content()["ladders"][name]
        parts += [
            f"## {TITLES[name]}\n",
            f"{of['images'][0].upper()}{of['images'][1:]}; patients: "
            + ", ".join(f"{n} {kind}" for kind, n in of["patients"].items())
            + ".\n",
            control_sentence(ladder),
            f"![One patient on every rung](generated/corruption_ladder_{short}.png)\n",
            levels_table(ladder),
            blind_sentence(ladder),
            "Colour is the strength at the greatest severity, from the edge of the judge's "
            f"interval to {STRONGEST:.0f} times as far off, on a logarithmic scale; numbers are "
            "the least severity from which on it is noticed, with an exclamation mark where the "
            "judge calls it better.\n",
            f"![Who notices what](generated/ladder_{short}.svg)\n",
            "The same as a table (`·`: not noticed), with what real sets score:\n",
            table(ladder),
        ]
    (folder / "ladder.md").write_text("\n".join(parts), encoding="utf-8")
