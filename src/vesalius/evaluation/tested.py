"""Records of a comparison that was bootstrapped: against whom, by how much, how sure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vesalius.core.record import Record
from vesalius.evaluation.set_comparison import SetComparison
from vesalius.evaluation.statistics import holm


def against(record: Record, found: SetComparison, method: str, baseline: str) -> Record:
    """The record of a method with its difference to ``baseline``."""
    difference = found.difference(method, baseline)
    span = f"{difference.value:.3g} ({difference.low:.3g} to {difference.high:.3g})"
    return replace(
        record,
        baseline=baseline,
        baseline_value=found.intervals[baseline].value,
        p_value=difference.p_value,
        note=f"difference {span}, paired bootstrap by patient",
    )


def adjusted(records: Sequence[Record]) -> list[Record]:
    """The same records with p-values adjusted for their number by Holm, and notes that say so."""
    tested = [math.nan if r.p_value is None else r.p_value for r in records]
    count = sum(not math.isnan(p) for p in tested)
    return [
        record
        if math.isnan(p)
        else replace(record, p_value=float(p), note=f"{record.note}, Holm over {count}")
        for record, p in zip(records, holm(tested), strict=True)
    ]
