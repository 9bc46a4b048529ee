"""Subgroups of every system and metric: the worst group of each, adjusted for their number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vesalius.core.rng import numpy_stream
from vesalius.evaluation.measures import CaseValues, Measure
from vesalius.evaluation.statistics import holm
from vesalius.evaluation.subgroups import SubgroupTable, subgroup_table
from vesalius.evaluation.system_comparison import ALPHA


@dataclass(frozen=True)
class Column:
    """What parts cases into groups: a label a case (None for unknown), and the groups' order."""

    name: str
    labels: tuple[str | None, ...]
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubgroupFinding:
    """One system's metric by the groups of a column; ``p_holm`` over all of the same cases."""

    measure: Measure
    system: str
    table: SubgroupTable
    p_holm: float = math.nan

    @property
    def detected(self) -> bool:
        """Whether the worst group's gap is more than chance, after adjustment."""
        return self.p_holm < ALPHA


def subgroup_findings(
    by_case: Sequence[CaseValues], columns: Mapping[str, Sequence[Column]], seed: int
) -> tuple[SubgroupFinding, ...]:
    """Part every metric by the columns of its group of cases (``columns["test"]``).

    Adjusted by Holm over metrics, systems and columns. Systems with infinite values are left out.
    """
    found = []
    for one in by_case:
        for column in columns.get(one.measure.group, ()):
            for system, values in one.values.items():
                if np.isinf(values).any():
                    continue
                key = (one.measure.group, one.measure.metric, column.name)
                table = subgroup_table(
                    column.name,
                    values,
                    one.patients,
                    column.labels,
                    one.measure.direction,
                    numpy_stream(seed, "subgroups", *key),
                    order=column.order,
                )
                found.append(SubgroupFinding(one.measure, system, table))
    adjusted: list[SubgroupFinding] = []
    for group in dict.fromkeys(finding.measure.group for finding in found):
        here = [finding for finding in found if finding.measure.group == group]
        p_values = holm([finding.table.p_value for finding in here]).tolist()
        adjusted += [replace(one, p_holm=p) for one, p in zip(here, p_values, strict=True)]
    return tuple(adjusted)
