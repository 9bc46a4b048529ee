"""A ladder in short, and the one that was measured, to be shown beside other results."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from vesalius.core.record import Level
from vesalius.evaluation.ladder.ladder import Ladder

FILE = "reference.json"


@dataclass(frozen=True)
class LadderLine:
    """One corruption and one level of judgement.

    ``severity`` is the least from which on some judge of the level notices most sets, None for
    never; ``judge`` is the one that notices the least severity, of several the strongest there, and
    "" where no judge notices most sets.
    """

    corruption: str
    what: str
    severity_unit: str
    level: Level
    severity: float | None
    judge: str


def in_short(ladder: Ladder) -> tuple[LadderLine, ...]:
    """A line for each corruption and each level that has a judge."""
    levels = dict.fromkeys(judge.level for judge in ladder.judges)
    return tuple(
        LadderLine(
            corruption["name"],
            corruption["what"],
            corruption["severity_unit"],
            level,
            ladder.level_notices(corruption["name"], level),
            sharpest(ladder, corruption["name"], level),
        )
        for corruption in ladder.corruptions
        for level in levels
    )


def sharpest(ladder: Ladder, corruption: str, level: Level) -> str:
    """The judge of a level that notices the least severity, of several the strongest there.

    "" where none does.
    """
    best: tuple[float, float, str] | None = None
    for number, judge in enumerate(ladder.judges):
        least = ladder.smallest_noticed(corruption, number) if judge.level == level else None
        if least is None:
            continue
        strength = abs(ladder.rung(corruption, least).strengths[number])
        if best is None or (least, -strength) < best[:2]:
            best = (least, -strength, judge.title)
    return best[2] if best else ""


def reference_ladder() -> Mapping[str, tuple[LadderLine, ...]]:
    """What ``benchmarks/corruption_ladder.py`` measured, by the name of its images."""
    found = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return {name: tuple(LadderLine(**line) for line in lines) for name, lines in found.items()}


def reference_text(ladders: Mapping[str, Ladder]) -> str:
    """The text of the file that :func:`reference_ladder` reads."""
    lines = {
        name: [dataclasses.asdict(line) for line in in_short(ladder)]
        for name, ladder in ladders.items()
    }
    return json.dumps(lines, indent=1) + "\n"
