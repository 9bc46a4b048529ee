"""The feature level: radiomics of drawn, baseline and real images, compared as sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.set_comparison import SetComparison, compared_sets
from vesalius.evaluation.tested import adjusted, against
from vesalius.metrics.feature import (
    Coverage,
    Density,
    EnergyDistance,
    FrechetRadiomicsDistance,
    MaximumMeanDiscrepancy,
    Precision,
    RadiomicFeatures,
    Recall,
    RobustScale,
    enough_cases,
    real_floor,
    robustly_named,
)
from vesalius.metrics.metric import SetMetric
from vesalius.tasks.task import Task

#: The first decides for tasks in which no image is the one truth.
SET_METRICS: tuple[SetMetric, ...] = (
    EnergyDistance(),
    FrechetRadiomicsDistance(standardise=False),
    MaximumMeanDiscrepancy(),
    Precision(),
    Recall(),
    Density(),
    Coverage(),
)
MINIMUM_SET = 12
#: Training cases whose features scale all others.
REFERENCE_CASES = 48
#: Images whose features are measured at once.
AT_ONCE = 64


def resamples(metric: SetMetric, n: int) -> int:
    """Bootstrap resamples; fewer of many cases where each takes a decomposition of all features."""
    if isinstance(metric, FrechetRadiomicsDistance):
        return max(30, min(100, 20_000 // n))
    return 500


@dataclass
class FeatureSets:
    """Radiomic features of images by method, one row a case, measured in groups."""

    task: Task
    features: dict[str, list[Tensor]] = field(default_factory=dict)
    waiting: list[tuple[str, Tensor, Tensor | None]] = field(default_factory=list)

    @property
    def extractor(self) -> RadiomicFeatures:
        """Over the range of the task's images."""
        dims: Any = self.task.shape.dims
        return RadiomicFeatures(self.task.judgement.range, dimensions=dims)

    def add(self, method: str, image: Tensor, mask: Tensor | None) -> None:
        """One more judged image ``(1, 1, *space)``."""
        self.waiting.append((method, image, mask))
        if len(self.waiting) >= AT_ONCE:
            self.measure()

    def measure(self) -> None:
        """Measure what waits."""
        if not self.waiting:
            return
        images = torch.cat([image for _, image, _ in self.waiting])
        masks = [
            torch.ones_like(image, dtype=torch.bool) if mask is None else mask
            for _, image, mask in self.waiting
        ]
        rows = self.extractor.features(images, torch.cat(masks))
        for (method, _, _), row in zip(self.waiting, rows, strict=True):
            self.features.setdefault(method, []).append(row)
        self.waiting.clear()

    def table(self, method: str) -> Tensor:
        """``(case, feature)``."""
        self.measure()
        return torch.stack(self.features[method])


@dataclass(frozen=True, eq=False)
class ComparedSet:
    """A set metric of several methods, under the name that a report gives it, and its floor."""

    name: str
    metric: SetMetric
    compared: SetComparison
    floor: float


def reference_features(task: Task) -> Tensor:
    """Features of training images spread over the split, ``(n, feature)``."""
    cases = task.split["train"]
    found = FeatureSets(task)
    for case in cases[:: max(1, len(cases) // REFERENCE_CASES)][:REFERENCE_CASES]:
        batch = task.test_case(case)
        assert batch.wanted is not None
        found.add("train", task.judged(batch.wanted), batch.mask)
    return found.table("train")


def set_records(
    task: Task, sets: FeatureSets, patients: Sequence[str], context: Record, seed: int
) -> tuple[list[Record], list[str]]:
    """Records of every method against "reference", and what a report has to say beside them."""
    found, notes = compare_feature_sets(task, sets, patients, context.group, seed)
    records: list[Record] = []
    for one in found:
        methods = list(one.compared.intervals)
        for method in methods:
            interval = one.compared.intervals[method]
            record = replace(
                context,
                recipe=method,
                metric=one.name,
                level="feature",
                unit=one.metric.unit,
                direction=one.metric.direction,
                value=interval.value,
                low=interval.low,
                high=interval.high,
                n=len(set(patients)),
                floor=one.floor,
            )
            if method == context.recipe and len(methods) > 1:
                record = against(record, one.compared, method, methods[1])
            records.append(record)
    return adjusted(records), notes


def compare_feature_sets(
    task: Task, sets: FeatureSets, patients: Sequence[str], group: str, seed: int
) -> tuple[list[ComparedSet], list[str]]:
    """Every set metric of every method against "reference", and remarks on what is too few."""
    n_patients = len(set(patients))
    if n_patients < MINIMUM_SET or len(task.split["train"]) < 2:
        note = (
            f"{n_patients} patients in '{group}' are too few to compare "
            f"distributions (at least {MINIMUM_SET}): no feature-level numbers there."
        )
        return [], [note]
    scale = RobustScale.fit(reference_features(task))
    sets.measure()
    tables = {name: scale(sets.table(name)) for name in sets.features}
    real = tables.pop("reference")
    found: list[ComparedSet] = []
    few: list[str] = []
    for metric in SET_METRICS:
        rng = numpy_stream(seed, "sets", group, metric.name)
        repeats = 20 if len(real) <= 200 else 5
        floor, _, _ = real_floor(metric, real, patients, rng, repeats=repeats)
        name = robustly_named(metric.name, sets.extractor)
        if enough_cases(metric, len(real), real.shape[1]):
            few.append(name)
        n_boot = resamples(metric, len(real))
        compared = compared_sets(metric, tables, real, patients, patients, rng, n_boot=n_boot)
        found.append(ComparedSet(name, metric, compared, floor))
    notes = [
        f"{len(real)} cases in '{group}' are few to compare distributions of "
        f"{real.shape[1]} features: read {', '.join(few)} with their real-against-real floors."
    ]
    return found, notes if few else []
