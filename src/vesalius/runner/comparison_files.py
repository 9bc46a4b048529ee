"""A comparison as files: all that was found (JSON), and a row for each system and metric (CSV)."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from vesalius.core.record import Record
from vesalius.evaluation.system_comparison import MeasureFindings
from vesalius.reports.comparison_verdict import comparison_verdict
from vesalius.reports.findings import ComparisonFindings

HEADER = ("system", "level", "metric", "group", "unit", "direction", "value", "low", "high",
          "median", "q25", "q75", "n", "rank", "first", "mean_rank", "floor")  # fmt: skip


def comparison_files(
    findings: ComparisonFindings, records: Mapping[str, Sequence[Record]]
) -> dict[str, bytes]:
    """``comparison.json`` and ``comparison.csv``; what is not defined is null, or an empty cell."""
    return {
        "comparison.json": _json(findings, records),
        "comparison.csv": _csv(findings, records),
    }


def _json(findings: ComparisonFindings, records: Mapping[str, Sequence[Record]]) -> bytes:
    content = {
        "systems": list(findings.systems),
        "baseline": findings.baseline,
        "facts": dict(findings.facts),
        "verdict": comparison_verdict(findings).split("\n\n"),
        "warnings": [*findings.warnings, *findings.remarks],
        "tests": dict(findings.found.n_tests),
        "measures": [_measure(one) for one in findings.found.measures],
        "margins": [
            {
                **dataclasses.asdict(test.measure),
                "system": test.system,
                "reference": test.reference,
                **dataclasses.asdict(test.result),
                "p_holm": test.p_holm,
                "shown": test.shown,
            }
            for test in findings.margins
        ],
        "subgroups": [
            {
                **dataclasses.asdict(one.measure),
                "system": one.system,
                "column": one.table.column,
                "groups": {name: dataclasses.asdict(found) for name, found in one.table.groups},
                "worst": one.table.worst,
                "gap": one.table.gap,
                "p_value": one.table.p_value,
                "p_holm": one.p_holm,
                "n_missing": one.table.n_missing,
            }
            for one in findings.subgroups
        ],
        "records": {name: [one.to_json() for one in own] for name, own in records.items()},
    }
    return (json.dumps(_strict(content), indent=1, allow_nan=False) + "\n").encode()


def _measure(one: MeasureFindings) -> dict[str, Any]:
    critical = one.critical
    return {
        **dataclasses.asdict(one.measure),
        "n": one.n_patients,
        "floor": one.floor,
        "best": one.winner,
        "values": {
            name: {"value": value, "low": low, "high": high}
            | ({"median": s.median, "q25": s.q25, "q75": s.q75, "n_dropped": s.n_dropped}
               if (s := one.summaries.get(name)) else {})
            for name, (value, low, high) in one.values.items()
        },
        "pairs": [dataclasses.asdict(pair) for pair in one.pairs],
        "not_told_apart": [list(group) for group in one.together],
        "ranks": dataclasses.asdict(one.ranks),
        "critical_difference": None
        if critical is None
        else {
            "mean_ranks": dict(critical.mean_ranks),
            "friedman": critical.statistic,
            "friedman_p_value": critical.p_value,
            "nemenyi_distance": critical.distance,
            "nemenyi_not_told_apart": [list(group) for group in critical.groups()],
            "alpha": critical.alpha,
            "n": critical.n_patients,
        },
    }  # fmt: skip


def _csv(findings: ComparisonFindings, records: Mapping[str, Sequence[Record]]) -> bytes:
    found = {(one.measure.metric, one.measure.group): one for one in findings.found.measures}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for system, own in records.items():
        for record in own:
            one = found.get((record.metric, record.group))
            summary = one.summaries.get(system) if one else None
            spread = (summary.median, summary.q25, summary.q75) if summary else (None,) * 3
            ranks: tuple[float | None, ...] = (None,) * 3
            if one is not None:
                first = one.ranks.shares[system][0]
                ranks = (one.ranks.ranks[system], first, one.mean_ranks[system])
            writer.writerow(
                "" if cell is None or cell != cell else cell
                for cell in (system, record.level, record.metric, record.group, record.unit,
                             record.direction, record.value, record.low, record.high, *spread,
                             record.n, *ranks, record.floor)
            )  # fmt: skip
    return text.getvalue().encode()


def _strict(value: Any) -> Any:
    """Without NaN and infinities, which JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    return value
