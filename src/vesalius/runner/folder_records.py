"""Records of two folders: pairs by measure, sets by extractor, copies of training images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.measures import CaseValues
from vesalius.evaluation.measures import Measure as Compared
from vesalius.evaluation.protocols import Measure
from vesalius.evaluation.set_comparison import compared_sets
from vesalius.evaluation.sets import MINIMUM_SET, SET_METRICS, resamples
from vesalius.evaluation.statistics import summarise
from vesalius.evaluation.subgroup_findings import SubgroupFinding, subgroup_findings
from vesalius.metrics.feature import (
    Coverage,
    Density,
    FrechetDistance,
    FrechetRadiomicsDistance,
    KernelDistance,
    Precision,
    Recall,
    RobustScale,
    enough_cases,
    named,
    real_floor,
    robustly_named,
)
from vesalius.metrics.feature.memorisation import (
    CopiedShare,
    CopyThreshold,
    DuplicateShare,
    copies,
)
from vesalius.metrics.metric import Extractor, SetMetric
from vesalius.runner.measured import FeatureSet, Measured
from vesalius.runner.measuring import Plan

#: Distances between sets of a network's features; the package's own for radiomics.
NETWORK_METRICS: tuple[SetMetric, ...] = (
    FrechetDistance(),
    KernelDistance(),
    Precision(),
    Recall(),
    Density(),
    Coverage(),
)
RADIOMICS = "radiomics"
#: Of a Fréchet distance, each of which takes a decomposition of all features.
FRECHET_RESAMPLES = 30
#: Images of a set whose distances to each other are all looked at: more need too much memory.
PAIRWISE_ROWS = 2000
#: Copies that a report names.
COPIES_NAMED = 10


def case_records(
    measures: Sequence[Measure], measured: Measured, context: Record, seed: int
) -> list[Record]:
    """The mean of every measure over what its protocol averages, resampled by patient."""
    records = []
    for measure in measures if measured.cases else ():
        values, patients = measured.pooled(measure.name)
        found = summarise(values, patients, numpy_stream(seed, "bootstrap", measure.name))
        undefined = sum(map(math.isnan, measured.by_case(measure.name)))
        records.append(
            replace(
                context, metric=measure.name, level=measure.level, unit=measure.unit,
                direction=measure.direction, value=found.value, low=_bound(found.low),
                high=_bound(found.high), n=found.n_patients,
                note=f"not defined for {undefined} cases" if undefined else "",
            )
        )  # fmt: skip
    return records


def _bound(value: float) -> float | None:
    return None if math.isnan(value) else value


def set_records(
    measured: Measured, plan: Plan, context: Record, seed: int
) -> tuple[list[Record], list[str]]:
    """Both sets compared by the features of every extractor, real against real beside them."""
    records: list[Record] = []
    thin: list[str] = []
    n = 0
    for spec in plan.extractors:
        known = measured.sets.get(spec, {})
        if "real" not in known or "generated" not in known:
            continue
        real, generated = known["real"], known["generated"]
        counts = {"real": len(set(real.patients)), "generated": len(set(generated.patients))}
        few = [which for which, count in counts.items() if count < MINIMUM_SET]
        if few:
            told = " and ".join(f"{counts[which]} {which}" for which in few)
            note = (
                f"{told} patients are too few to compare distributions (at least {MINIMUM_SET}): "
                "no feature-level numbers."
            )
            return [], [note]
        found = _of_extractor(plan, spec, real, generated, context, seed)
        records += found
        n = min(counts.values())
        thin += [one.metric for one in found if one.note.startswith("n = ")]
    if not thin:
        return records, []
    told = ", ".join(thin)
    return records, [f"n = {n} is small for {told}: read them with real against real beside them."]


def _of_extractor(
    plan: Plan, spec: str, real: FeatureSet, generated: FeatureSet, context: Record, seed: int
) -> list[Record]:
    made = plan.extractor(spec)
    wide = _scaled(spec, generated.rows, real.rows, real.rows)
    metrics = plan.protocol.distances(spec)
    if metrics is None:
        metrics = SET_METRICS if spec == RADIOMICS else NETWORK_METRICS
    n = min(len(set(real.patients)), len(set(generated.patients)))
    records = []
    for metric in metrics:
        rng = numpy_stream(seed, "sets", metric.name, *([] if spec == RADIOMICS else [spec]))
        frechet = isinstance(metric, FrechetDistance)
        whole = frechet or isinstance(metric, FrechetRadiomicsDistance)
        (a, ours), (b, theirs) = (
            (rows, one.patients) if whole else _fewer(rows, one.patients, seed)
            for rows, one in zip(wide, (generated, real), strict=True)
        )
        floor, _, _ = real_floor(metric, b, theirs, rng, repeats=5 if frechet else 20)
        interval = compared_sets(
            metric, {"generated": a}, b, ours, theirs, rng,
            n_boot=FRECHET_RESAMPLES if frechet else resamples(metric, len(b)),
        ).intervals["generated"]  # fmt: skip
        name = _name(metric, spec, made)
        note = enough_cases(metric, n, b.shape[1])
        taken = max(len(a), len(b))
        if taken < max(map(len, wide)):
            note = "; ".join(filter(None, (note, f"of {taken} images of each set, at random")))
        records.append(
            replace(
                context, metric=name, level="feature", unit=metric.unit,
                direction=metric.direction, value=interval.value, low=_bound(interval.low),
                high=_bound(interval.high), n=n, floor=floor, note=note,
            )
        )  # fmt: skip
    return records


def _fewer(rows: Tensor, patients: tuple[str, ...], seed: int) -> tuple[Tensor, tuple[str, ...]]:
    """At most as many rows as every pair of them can be looked at, drawn at random."""
    if len(rows) <= PAIRWISE_ROWS:
        return rows, patients
    rng = numpy_stream(seed, "fewer")  # the same rows of paired sets
    chosen = np.sort(rng.choice(len(rows), PAIRWISE_ROWS, replace=False))
    return rows[chosen], tuple(patients[place] for place in chosen)


def _scaled(spec: str, *sets: Tensor) -> tuple[Tensor, ...]:
    """Sets on the scale of the last one, which is left out: radiomic features have many units."""
    *given, reference = sets
    if spec != RADIOMICS:
        return tuple(given)
    scale = RobustScale.fit(reference)
    return tuple(map(scale, given))


def _name(metric: SetMetric, spec: str, made: Extractor) -> str:
    return robustly_named(metric.name, made) if spec == RADIOMICS else named(metric, made)


@dataclass(frozen=True)
class Copied:
    """A generated case and the training case that it is too near to, by name."""

    extractor: str
    generated: str
    train: str
    distance: float


def memory_records(
    measured: Measured, plan: Plan, context: Record, seed: int
) -> tuple[list[Record], list[Copied], list[str]]:
    """Shares of copies of training images and of duplicates, beside those of real held-out images.

    A case is a copy where it is nearer to a training case than all but 1 % of real held-out cases.
    """
    records: list[Record] = []
    found: list[Copied] = []
    notes: list[str] = []
    for spec in plan.extractors:
        known = measured.sets.get(spec, {})
        if len(known) < 3:
            continue
        generated, real, train = (known[side] for side in ("generated", "real", "train"))
        a, b, c = _scaled(spec, generated.rows, real.rows, train.rows, train.rows)
        threshold = CopyThreshold.calibrated(b, c)
        if threshold.n < 1 / threshold.allowed_share:
            notes.append(
                f"{threshold.n} real held-out images set how near a copy is, with "
                f"{plan.extractor(spec).name}: fewer than {round(1 / threshold.allowed_share)}."
            )
        metrics: tuple[SetMetric, ...] = (
            CopiedShare(threshold),
            DuplicateShare(threshold.distance),
        )
        for metric in metrics:
            copied = isinstance(metric, CopiedShare)
            against, owners = (c, train.patients) if copied else (b, real.patients)
            rng = numpy_stream(seed, "memory", metric.name, spec)
            interval = compared_sets(
                metric, {"generated": a}, against, generated.patients, owners, rng
            ).intervals["generated"]
            floor = threshold.called_share if copied else metric.value(b, b)
            records.append(
                replace(
                    context, metric=_name(metric, spec, plan.extractor(spec)), level="feature",
                    unit=metric.unit, direction=metric.direction, value=interval.value,
                    low=_bound(interval.low), high=_bound(interval.high),
                    n=len(set(generated.patients)), floor=floor,
                    note=enough_cases(metric, len(a), a.shape[1]),
                )
            )  # fmt: skip
        found += [
            Copied(spec, generated.cases[one.case], train.cases[one.other], one.distance)
            for one in copies(a, c, threshold)
        ]
    return records, found, notes


def subgroup_rows(
    measures: Sequence[Measure], measured: Measured, table: Path, method: str, seed: int
) -> tuple[SubgroupFinding, ...]:
    """Every measure by the columns of the user's table, the worst group of each named."""
    from vesalius.runner.covariates import read_covariates

    cases = [case for case, _ in measured.cases]
    patients = [patient for _, patient in measured.cases]
    by_case = [
        CaseValues(
            Compared(measure.name, measure.level, measure.unit, measure.direction),
            tuple(patients),
            {method: np.asarray(measured.by_case(measure.name), dtype=np.float64)},
        )
        for measure in measures
    ]
    return subgroup_findings(
        by_case, {"test": read_covariates(table).of(cases, patients, {})}, seed
    )
