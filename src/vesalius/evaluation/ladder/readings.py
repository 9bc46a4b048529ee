"""What a reader of voxels says of images, against what is true of the patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.judge import Judge, Measure, column_mean
from vesalius.evaluation.ladder.voxel_reader import VoxelReader
from vesalius.metrics.metric import CaseMetric

Region = NDArray[np.bool_]
#: Connected voxels from which on a finding counts as a lesion.
LEAST_VOXELS = 4
#: A place counts as one where lesions can be if so many training patients have tissue for it there.
EVER = 0.2


class LabelReadings(Measure):
    """Metrics of a reader's label map against the true one, a column each."""

    needs = ("tissues",)

    def __init__(self, reader: VoxelReader, metrics: Sequence[CaseMetric]) -> None:
        self.reader = reader
        self.metrics = tuple(metrics)

    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, metric)``."""
        assert cohort.tissues is not None
        found = self.reader.read(cohort.images)
        columns = [metric.statistic(found, cohort.tissues, cohort.mask) for metric in self.metrics]
        return torch.stack(columns, dim=1)

    def judges(self, names: Sequence[str], of: str) -> tuple[Judge, ...]:
        """One a metric."""
        return tuple(
            Judge(name, metric.level, metric.direction, metric.unit, self, column_mean(column), of)
            for column, (name, metric) in enumerate(zip(names, self.metrics, strict=True))
        )


class LesionReadings(Measure):
    """Lesions that a reader finds, counted by what is true of the patient and of the place.

    Columns: see COLUMNS. A lesion is LEAST_VOXELS connected voxels or more; it is true if it
    touches a true lesion, impossible if most of it lies where the cohort says that none can be, and
    unheard of if it lies where fewer than EVER of the ``training`` patients have tissue that can
    hold one.
    """

    needs = ("lesion", "possible")
    COLUMNS: tuple[tuple[str, Direction, str], ...] = (
        ("lesion seen where there is one, and only there", "up", "of patients"),
        ("patients with a lesion", "zero", "of patients"),
        ("false lesions", "down", "a patient"),
        ("missed lesions", "down", "a patient"),
        ("lesions where none can be, by the truth", "down", "a patient"),
        ("lesions where nobody has brain, by an atlas", "down", "a patient"),
    )

    def __init__(self, reader: VoxelReader, training: Cohort) -> None:
        if training.possible is None:
            raise InputError("a cohort with 'possible'", case="training of an atlas")
        self.reader = reader
        self.atlas = training.possible.double().mean(dim=0)[0].numpy()

    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, column)``."""
        assert cohort.lesion is not None
        assert cohort.possible is not None
        found = self.reader.read(cohort.images) == self.reader.lesion
        rows = []
        for mine, truth, possible in zip(found, cohort.lesion, cohort.possible, strict=True):
            rows.append(self._row(mine[0].numpy(), truth[0].numpy(), possible[0].numpy()))
        return torch.tensor(rows, dtype=torch.float64)

    def _row(self, mine: Region, truth: Region, possible: Region) -> list[float]:
        seen, there = lesions(mine), lesions(truth)
        false = sum(not (part & truth).any() for part in seen)
        missed = sum(not (part & mine).any() for part in there)
        nowhere = sum((part & ~possible).sum() > part.sum() / 2 for part in seen)
        unheard = sum(self.atlas[part].mean() < EVER for part in seen)
        right = math.nan if truth.any() and not there else float(bool(seen) == bool(there))
        return [right, float(bool(seen)), false, missed, float(nowhere), float(unheard)]

    def judges(self, columns: Sequence[int], of: str) -> tuple[Judge, ...]:
        """One a column."""
        found = []
        for column in columns:
            name, direction, unit = self.COLUMNS[column]
            found.append(
                Judge(
                    name,
                    "clinical",
                    direction,
                    unit,
                    self,
                    column_mean(column),
                    of,
                    counts=True,
                    bounds=(0.0, math.inf),
                )
            )
        return tuple(found)


def lesions(region: Region) -> list[Region]:
    """Connected parts of ``region`` of LEAST_VOXELS or more; diagonal neighbours touch."""
    from scipy.ndimage import generate_binary_structure, label

    every: Any = generate_binary_structure(region.ndim, region.ndim)
    parts, count = label(region, every)
    found = [parts == number for number in range(1, count + 1)]
    return [part for part in found if part.sum() >= LEAST_VOXELS]
