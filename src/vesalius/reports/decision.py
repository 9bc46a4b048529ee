"""To decide by: a question a level, what the numbers answer, and what they do not allow."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vesalius.core.record import Level, Record
from vesalius.reports import numbers
from vesalius.reports.rows import compare

State = Literal["good", "bad", "open", "silent"]
#: Against real images: "yes", "partly", "no". Against a baseline: "better", "mixed", "worse".
Word = Literal[
    "yes", "partly", "no", "better", "mixed", "worse", "no difference", "no answer", "not measured"
]

QUESTIONS: dict[Level, str] = {
    "pixel": "Does it keep the pixels?",
    "feature": "Does it keep the distribution?",
    "clinical": "Does it keep the clinical meaning?",
}
#: Patients below which a difference of half a standard deviation is more often missed than found.
FEW_PATIENTS = 30
#: How many metrics a sentence names.
NAMED = 3
#: Marks of an answer whose sentence names metrics.
LISTED = 8
#: How the metric's name of copied training images begins, and what it answers where measured.
COPIES = "copied_share"
COPIED = "Are they more than copies?"


@dataclass(frozen=True)
class Mark:
    """One metric, and what its number may claim.

    Against real images (``of_reality``): "good" where the interval reaches what real images score
    against real ones, "bad" where it does not. Against a baseline: "good" where it is detectably
    better, "bad" where worse, "open" where no difference was found. "silent": there is nothing to
    hold the number against.
    """

    metric: str
    state: State
    text: str
    of_reality: bool = False

    @property
    def name(self) -> str:
        """The metric without what it is measured by."""
        return self.metric.replace(f"[{self.by}]", "") if self.by else self.metric

    @property
    def by(self) -> str:
        """What it is measured by: the words in brackets, or ""."""
        found = re.search(r"\[(.*)\]", self.metric)
        return found[1] if found else ""


@dataclass(frozen=True)
class Answer:
    """A level's question, the word that the numbers allow, and a sentence that says why."""

    level: Level
    question: str
    word: Word
    sentence: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Decision:
    """The answers of three levels, and what the images must not be used for."""

    answers: tuple[Answer, ...]
    not_for: tuple[str, ...]


def decision(records: Sequence[Record]) -> Decision:
    """What the records of one system allow to decide.

    The judged system is the recipe of the first record; records of baselines beside it are left
    out. Only the group "test" answers the questions, or all groups where there is none.
    """
    own = [record for record in records if record.recipe == records[0].recipe] if records else []
    judged = [record for record in own if record.group == "test"] or [
        record for record in own if record.group != "shifted"
    ]
    copies = [record for record in judged if record.metric.startswith(COPIES)]
    others = [record for record in judged if record not in copies]
    answers = [_answer(level, question, others) for level, question in QUESTIONS.items()]
    if copies:
        answers.append(_answer("feature", COPIED, copies))
    return Decision(tuple(answers), tuple(_not_for(judged, own)))


def mark(record: Record) -> Mark:
    """What one number may claim."""
    decimals = numbers.decimals_for(record.value, record.low, record.high)
    name = (
        record.metric if record.group in ("test", "shifted") else f"{record.metric}, {record.group}"
    )
    value = numbers.with_unit(numbers.number(record.value, decimals), record.unit)
    if math.isnan(record.value):
        return Mark(name, "silent", "not defined on these data")
    if record.floor is not None and not math.isnan(record.floor):
        floor = numbers.beside(record.floor, decimals)
        text = f"{value}; real against real {floor}"
        return Mark(name, _beside_floor(record), text, of_reality=True)
    comparison = compare(record)
    if comparison is not None and comparison.detected is not None:
        other = numbers.beside(record.baseline_value, decimals)
        text = f"{value}; {record.baseline or 'baseline'} {other}"
        states: dict[str, State] = {"better": "good", "worse": "bad"}
        return Mark(name, states.get(comparison.outcome, "open"), text)
    return Mark(name, "silent", value)


def _beside_floor(record: Record) -> State:
    """Whether the interval lies on the far side of what real images score."""
    assert record.floor is not None
    if record.low is None or record.high is None or math.isnan(record.low + record.high):
        return "silent"
    if record.direction == "up":
        beyond = record.high < record.floor
    elif record.direction == "down":
        beyond = record.low > record.floor
    else:
        beyond = not record.low <= record.floor <= record.high
    return "bad" if beyond else "good"


def _answer(level: Level, question: str, records: Sequence[Record]) -> Answer:
    here = [record for record in records if record.level == level]
    marks = _by_what_measures([mark(record) for record in here])
    if not here:
        return Answer(level, question, "not measured", _unmeasured(level), ())
    told = [item for item in marks if item.state != "silent"]
    if not told:
        many = "1 number stands" if len(marks) == 1 else f"{len(marks)} numbers stand"
        text = f"{many} alone: there is nothing to hold them against."
        return Answer(level, question, "no answer", text, marks)
    of_reality = any(item.of_reality for item in told)
    told = [item for item in told if item.of_reality == of_reality]
    states = ("good", "bad", "open")
    good, bad, still = ([item for item in told if item.state == state] for state in states)
    compared = [record for record in here if record.baseline_value is not None]
    baselines = " or ".join(dict.fromkeys(one.baseline or "the baseline" for one in compared))
    smallest = min((record.n for record in here if record.n > 0), default=0)
    if of_reality:
        word: Word = "partly" if good and bad else "no" if bad else "yes"
        phrases = ("as real images are to each other", "further apart than real images are", "")
        if question == COPIED:
            among = "copies than among real images that were not learnt from"
            phrases = (f"find no more {among}", f"find more {among}", "")
    else:
        word = (
            "mixed" if good and bad else "worse" if bad else "better" if good else "no difference"
        )
        phrases = (f"better than {baselines}", f"worse than {baselines}", "no difference detected")
    few = len(told) <= LISTED  # of more, the marks below the sentence tell which
    parts = [
        f"{len(group)} of {len(told)} {phrase}{f' ({_names(group)})' if few else ''}"
        for group, phrase in zip((good, bad, still), phrases, strict=True)
        if group
    ]
    if word in ("yes", "no difference") and smallest:
        parts.append(f"{smallest} patients, so smaller differences may have been missed")
    return Answer(level, question, word, "; ".join(parts) + ".", marks)


def _by_what_measures(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks in their order, those by the same features together."""
    kinds = list(dict.fromkeys(item.by for item in marks))
    return tuple(sorted(marks, key=lambda item: kinds.index(item.by)))


def _names(marks: Sequence[Mark]) -> str:
    named = ", ".join(item.metric for item in marks[:NAMED])
    more = len(marks) - NAMED
    return f"{named} and {more} more" if more > 0 else named


def _unmeasured(level: Level) -> str:
    if level == "pixel":
        return "No image was compared voxel by voxel."
    if level == "feature":
        return "There were too few patients, or no images, to compare sets."
    return "No outline, finding, dose or reading was judged."


def _not_for(judged: Sequence[Record], everything: Sequence[Record]) -> list[str]:
    """Uses that these numbers do not cover or speak against."""
    found = []
    levels = {record.level for record in judged}
    marks = {level: [mark(r) for r in judged if r.level == level] for level in QUESTIONS}
    worse = [item for item in marks["clinical"] if item.state == "bad"]
    if "clinical" not in levels:
        found.append(
            "Diagnosis, measurement or treatment: no clinical use was judged, and no number of "
            "pixels or features stands in for one."
        )
    elif worse:
        found.append(f"What {_names(worse)} stands for: it is detectably worse.")
    apart = [
        item
        for item in marks["feature"]
        if item.state == "bad" and not item.metric.startswith(COPIES)
    ]
    if apart:
        found.append(f"Standing in for real images as a set: {_names(apart)} tell them apart.")
    elif "feature" not in levels:
        found.append("Claims of realism or diversity: the sets were not compared.")
    if "pixel" not in levels:
        found.append("Reading values off a single image: no error of single voxels was measured.")
    doses = any(record.unit in ("Gy", "%Gy") for record in judged)
    if any(record.unit == "HU" for record in judged) and not doses:
        found.append(
            "Planning a dose: no dose was calculated; image errors do not stand in for it."
        )
    copies = [record for record in judged if record.metric.startswith(COPIES)]
    if not copies:
        found.append("Sharing as anonymous: copies of training images were not looked for.")
    elif any(record.value > (record.floor or 0.0) for record in copies):
        found.append("Sharing as anonymous: some images are copies of training images.")
    if not any(record.group == "shifted" for record in everything):
        found.append("Other sites and scanners: no site was held out whole.")
    sizes = [record.n for record in judged if record.n > 0]
    if sizes and min(sizes) < FEW_PATIENTS:
        found.append(f"Small subgroups: {min(sizes)} patients leave their differences undetected.")
    return found
