"""What a comparison of systems found, as its page tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vesalius.evaluation.margins import MarginTest
    from vesalius.evaluation.subgroup_findings import SubgroupFinding
    from vesalius.evaluation.system_comparison import Findings


@dataclass(frozen=True, eq=False)
class ComparisonFindings:
    """Tests, ranks, margins and subgroups of several systems on the same cases.

    ``baseline`` names the system that is used today. ``facts`` are printed by name in the order
    given, ``warnings`` stand above all, ``remarks`` beside the numbers.
    """

    question: str
    systems: tuple[str, ...]
    found: Findings
    baseline: str | None = None
    margins: tuple[MarginTest, ...] = ()
    subgroups: tuple[SubgroupFinding, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
