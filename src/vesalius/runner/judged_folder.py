"""What a finished run, or ``vesalius evaluate``, left behind: values by case, and records."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.core.record import Record, read_records
from vesalius.data.source import Case
from vesalius.runner.run import Run

#: Values of one metric by method, a value a case.
ByMethod = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class GroupValues:
    """Cases of a partition, their patients, and values by metric and method."""

    cases: tuple[str, ...]
    patients: tuple[str, ...]
    values: Mapping[str, ByMethod]


@dataclass(frozen=True)
class JudgedFolder:
    """A run folder (``run`` is then the run) or an output folder of ``vesalius evaluate``.

    ``method`` is the name under which its own numbers are stored.
    """

    folder: Path
    method: str
    records: tuple[Record, ...]
    groups: Mapping[str, GroupValues]
    run: Run | None = None

    @property
    def context(self) -> Record:
        """A record that says what was judged, how and on what."""
        return next(record for record in self.records if record.recipe == self.method)

    @property
    def baseline(self) -> str | None:
        """What is used today, if the folder has numbers of it."""
        return next((record.baseline for record in self.records if record.baseline), None)

    def record_of(self, metric: str) -> Record | None:
        """The folder's own record of a metric: its level, unit and direction."""
        own = (r for r in self.records if r.metric == metric and r.recipe == self.method)
        return next(own, None)

    @cached_property
    def by_name(self) -> Mapping[str, Case]:
        """The run's test cases with their covariates; needs the run's data."""
        assert self.run is not None
        split = self.run.task.split
        return {case.identifier: case for partition in self.groups for case in split[partition]}


def open_judged(folder: str | Path) -> JudgedFolder:
    """Open a judged run or what ``vesalius evaluate`` wrote; InputError if it is neither."""
    folder = Path(folder)
    if (folder / "run.json").is_file():
        return _of_run(Run.open(folder))
    if not (folder / "metrics.json").is_file():
        raise InputError(
            "the folder of a finished run, or what 'vesalius evaluate' wrote",
            came="a folder without metrics.json" if folder.is_dir() else "no folder",
            case=folder,
        )
    return _of_evaluation(folder)


def _of_run(run: Run) -> JudgedFolder:
    if run.status not in ("judged", "reported"):
        raise InputError(
            "a judged run",
            came=f"one that is '{run.status}'",
            case=run.folder,
            remedy=f"finish it with: vesalius resume {run.folder}",
        )
    try:
        saved = json.loads((run.folder / "cases.json").read_text())["partitions"]
        groups = {
            group: GroupValues(
                tuple(found["cases"]),
                tuple(found["patients"] if "patients" in found else _patients(run, group)),
                {
                    metric: {name: np.array(v, dtype=np.float64) for name, v in by_method.items()}
                    for metric, by_method in found["values"].items()
                },
            )
            for group, found in saved.items()
        }
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(
            "a whole cases.json", came=str(error), case=run.folder, remedy="judge the run again"
        ) from None
    return JudgedFolder(run.folder, run.recipe.name, tuple(run.records()), groups, run)


def _patients(run: Run, group: str) -> list[str]:
    """Runs of earlier versions did not keep patients: the data know them."""
    return [case.patient for case in run.task.split[group]]


def _of_evaluation(folder: Path) -> JudgedFolder:
    records = tuple(read_records(folder / "metrics.json"))
    if not records:
        raise InputError("records", came="none", case=folder / "metrics.json")
    method, path = records[0].recipe, folder / "cases.csv"
    if not path.is_file():  # sets without pairs have no values by case
        return JudgedFolder(folder, method, records, {})
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    metrics = {record.metric for record in records}
    columns = [name for name in (rows[0] if rows else {}) if name in metrics]
    try:
        found = GroupValues(
            tuple(row["case"] for row in rows),
            tuple(row["patient"] for row in rows),
            {
                name: {method: np.array([_number(row[name]) for row in rows], dtype=np.float64)}
                for name in columns
            },
        )
    except (KeyError, ValueError) as error:
        raise InputError(
            "columns 'case', 'patient' and numbers", came=str(error), case=path
        ) from None
    return JudgedFolder(folder, method, records, {"test": found})


def _number(text: str) -> float:
    return float(text) if text else math.nan
