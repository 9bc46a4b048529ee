"""Tables of a report on two folders: best and worst cases, groups, copies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vesalius.evaluation.subgroup_findings import SubgroupFinding
from vesalius.reports import Table
from vesalius.runner.folder_records import COPIES_NAMED, Copied
from vesalius.runner.measured import Extremes


def extremes_table(found: Sequence[Extremes]) -> Table:
    """The best, the median and the worst case of every measure by name."""
    rows = tuple(
        (
            one.measure.name,
            one.measure.unit,
            one.best[0],
            one.best[1],
            one.median[0],
            one.median[1],
            one.worst[0],
            one.worst[1],
        )
        for one in found
    )
    columns = ("metric", "unit", "best", "value", "median", "value", "worst", "value")
    return Table("Best, median and worst case", columns, rows)


def subgroups_table(found: Sequence[SubgroupFinding]) -> Table:
    """The worst group of every measure and column."""
    rows = tuple(
        (
            one.measure.metric,
            one.measure.unit,
            one.table.column,
            ", ".join(f"{name} ({summary.n_patients})" for name, summary in one.table.groups),
            one.table.worst or "none named",
            None if math.isnan(one.table.gap) else one.table.gap,
            None if math.isnan(one.p_holm) else one.p_holm,
        )
        for one in found
    )
    columns = ("metric", "unit", "by", "groups (patients)", "worst", "gap", "p (Holm)")
    note = "The gap is that of the worst group to all other cases; p is adjusted for all rows."
    return Table("Subgroups", columns, rows, note)


def copies_table(found: Sequence[Copied]) -> Table:
    """The generated images nearest to training images."""
    rows = tuple(
        (one.extractor, one.generated, one.train, one.distance) for one in found[:COPIES_NAMED]
    )
    note = (
        f"{len(found)} in all: nearer to a training image than all but 1 % of real held-out images."
    )
    return Table(
        "Copies of training images", ("by", "generated", "training", "distance"), rows, note
    )
