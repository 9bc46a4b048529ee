"""What the pass over the files found, together: values by case, features by set."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.evaluation.protocols import Measure
from vesalius.runner.image_folder import Item
from vesalius.runner.measuring import SIDES, Job, Part, Side
from vesalius.runner.parts import Parts
from vesalius.runner.shown_cases import from_best


@dataclass(frozen=True)
class FeatureSet:
    """Features of one side, a row an image or slice, with its case and its patient."""

    rows: Tensor
    cases: tuple[str, ...]
    patients: tuple[str, ...]


@dataclass
class Measured:
    """Values by measure and pair (several where slices or structures are averaged), and sets."""

    cases: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    sets: dict[str, dict[Side, FeatureSet]] = field(default_factory=dict)

    def pooled(self, measure: str) -> tuple[list[float], list[str]]:
        """All values of a measure, and whose they are."""
        values: list[float] = []
        patients: list[str] = []
        for found, (_, patient) in zip(self.values[measure], self.cases, strict=True):
            values += found
            patients += [patient] * len(found)
        return values, patients

    def by_case(self, measure: str) -> list[float]:
        """One value a case: the mean of its own; NaN for none."""
        return [_mean(found) for found in self.values[measure]]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def gathered(parts: Parts) -> Measured:
    """Everything that was kept; InputError for generated images of sizes that no real one has."""
    found = Measured(values={measure.name: [] for measure in parts.plan.protocol.measures})
    rows: dict[tuple[str, Side], list[Tensor]] = {}
    owners: dict[tuple[str, Side], list[Item]] = {}
    sizes: dict[Side, dict[tuple[int, ...], str]] = {side: {} for side in SIDES}
    for number, jobs in enumerate(parts.chunks):
        part = parts.read(number)
        _add_values(found, part, jobs)
        for side in SIDES:
            known = [job.items[side] for job in jobs if side in job.items]
            for size, item in zip(part[f"sizes-{side}"].tolist(), known, strict=True):
                sizes[side].setdefault(tuple(size), item.shown)
            for place, spec in enumerate(parts.plan.extractors):
                if f"rows-{side}-{place}" not in part:
                    continue
                features = torch.from_numpy(part[f"features-{side}-{place}"])
                rows.setdefault((spec, side), []).append(features)
                whose = owners.setdefault((spec, side), [])
                for row in part[f"rows-{side}-{place}"].tolist():
                    items = jobs[row].items
                    # a pair is of one patient, whose name the real folder knows
                    patient = items.get("real", items[side]).patient
                    whose.append(replace(items[side], patient=patient))
    _require_sizes(sizes, parts)
    for (spec, side), groups in rows.items():
        found.sets.setdefault(spec, {})[side] = FeatureSet(
            torch.cat(groups),
            tuple(item.name for item in owners[spec, side]),
            tuple(item.patient for item in owners[spec, side]),
        )
    return found


def _add_values(found: Measured, part: Part, jobs: Sequence[Job]) -> None:
    pairs = [
        (row, job.real)
        for row, job in enumerate(jobs)
        if job.real is not None and job.generated is not None
    ]
    found.cases += [(real.name, real.patient) for _, real in pairs]
    for place, name in enumerate(found.values):
        values, owners = part[f"values-{place}"], part[f"owners-{place}"]
        for row, _ in pairs:
            found.values[name].append(tuple(values[owners == row].tolist()))


def _require_sizes(sizes: Mapping[Side, Mapping[tuple[int, ...], str]], parts: Parts) -> None:
    """``sizes`` with the name of the first image of each."""
    strange = [size for size in sizes["generated"] if size not in sizes["real"]]
    if strange and sizes["real"] and not parts.plan.protocol.crops:
        raise InputError(
            f"generated images of a real one's size, {_told(sizes['real'])}",
            came=_told(strange),
            case=sizes["generated"][strange[0]],
            remedy="resample: textures of other resolutions cannot be compared",
        )


def _told(sizes: Collection[tuple[int, ...]]) -> str:
    known = ["x".join(map(str, size)) for size in sorted(sizes)]
    return ", ".join(known[:3]) + (", ..." if len(known) > 3 else "")


def table(measured: Measured) -> str:
    """Values by case as CSV, empty where a measure is not defined."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "patient", *measured.values])
    columns = [measured.by_case(name) for name in measured.values]
    for row, (case, patient) in enumerate(measured.cases):
        cells = ["" if math.isnan(column[row]) else repr(column[row]) for column in columns]
        writer.writerow([case, patient, *cells])
    return text.getvalue()


@dataclass(frozen=True)
class Extremes:
    """The cases that a measure finds best, in the middle and worst, with its values there."""

    measure: Measure
    best: tuple[str, float]
    median: tuple[str, float]
    worst: tuple[str, float]


def extremes(measures: Sequence[Measure], measured: Measured) -> tuple[Extremes, ...]:
    """Of every measure that is defined somewhere."""
    found = []
    for measure in measures if measured.cases else ():
        values = measured.by_case(measure.name)
        order = from_best(values, measure.direction)
        if not order:
            continue
        best, median, worst = (
            (measured.cases[row][0], values[row])
            for row in (order[0], order[(len(order) - 1) // 2], order[-1])
        )
        found.append(Extremes(measure, best, median, worst))
    return tuple(found)
