"""Planted truth: known corruptions, and which level of judgement notices which."""

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption
from vesalius.evaluation.ladder.corruptions import standard_corruptions
from vesalius.evaluation.ladder.judge import Judge, Measure
from vesalius.evaluation.ladder.ladder import (
    Control,
    JudgeLine,
    Ladder,
    Rung,
    corruption_ladder,
)
from vesalius.evaluation.ladder.reference import LadderLine, in_short, reference_ladder
from vesalius.evaluation.ladder.standard_judges import standard_judges

__all__ = [
    "Cohort",
    "Control",
    "Corrupted",
    "Corruption",
    "Judge",
    "JudgeLine",
    "Ladder",
    "LadderLine",
    "Measure",
    "Rung",
    "corruption_ladder",
    "in_short",
    "reference_ladder",
    "standard_corruptions",
    "standard_judges",
]
