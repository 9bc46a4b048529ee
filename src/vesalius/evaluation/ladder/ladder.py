"""A metric's own test: known corruptions, and which level of judgement notices which."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corruption
from vesalius.evaluation.ladder.judge import Judge, Measure
from vesalius.evaluation.ladder.notice import RealSets

Values = NDArray[np.float64]


@dataclass(frozen=True)
class JudgeLine:
    """A judge and what it says of real sets: median and 95 % interval."""

    name: str
    level: Level
    direction: Direction
    unit: str
    of: str
    median: float
    low: float
    high: float

    @property
    def title(self) -> str:
        """The name, and which reader where a reader answers."""
        return f"{self.name}, {self.of}" if self.of.startswith("a reader") else self.name


@dataclass(frozen=True)
class Rung:
    """One corruption at one severity: every judge's answer, in the order of the ladder's judges.

    ``values`` and ``strengths`` are medians over the corrupted sets; ``noticed`` is the share of
    them that the judge noticed; ``any_noticed`` that some judge of the level noticed.
    """

    corruption: str
    severity: float
    values: tuple[float, ...]
    strengths: tuple[float, ...]
    noticed: tuple[float, ...]
    any_noticed: dict[str, float]


@dataclass(frozen=True)
class Control:
    """False alarms on uncorrupted sets of patients of whom the ladder knew nothing.

    ``outside`` counts answers beyond the 95 % interval of one judge alone, ``noticed`` those beyond
    the threshold, of ``answers``; ``sets_noticed`` of ``sets`` were noticed by any judge.
    """

    sets: int
    sets_noticed: int
    answers: int
    outside: int
    noticed: int


@dataclass(frozen=True)
class Ladder:
    """Which judge notices which corruption, from which severity on."""

    judges: tuple[JudgeLine, ...]
    rungs: tuple[Rung, ...]
    corruptions: tuple[dict[str, Any], ...]
    threshold: float
    patients_a_set: int
    real_sets: int
    corrupted_sets: int
    control: Control | None = None

    def rung(self, corruption: str, severity: float) -> Rung:
        """One rung; raises InputError for one that is not there."""
        for rung in self.rungs:
            if rung.corruption == corruption and rung.severity == severity:
                return rung
        raise InputError("a rung of the ladder", came=f"{corruption} {severity:g}")

    def smallest_noticed(self, corruption: str, judge: int) -> float | None:
        """The least severity from which on the judge notices most sets; None if it never does.

        A severity counts only if every greater one is noticed, too.
        """
        found = None
        for rung in reversed(self._of(corruption)):
            if rung.noticed[judge] <= 0.5:
                break
            found = rung.severity
        return found

    def level_notices(self, corruption: str, level: Level) -> float | None:
        """The least severity from which on some judge of the level notices most sets, or None."""
        found = None
        for rung in reversed(self._of(corruption)):
            if rung.any_noticed.get(level, 0.0) <= 0.5:
                break
            found = rung.severity
        return found

    def _of(self, corruption: str) -> list[Rung]:
        own = [rung for rung in self.rungs if rung.corruption == corruption]
        return sorted(own, key=lambda rung: rung.severity)

    def to_json(self) -> dict[str, Any]:
        """Plain data; infinite numbers and NaN as words."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain

    @staticmethod
    def from_json(data: dict[str, Any]) -> Ladder:
        """The ladder that ``to_json`` wrote."""
        try:
            return Ladder(
                judges=tuple(JudgeLine(**_numbers(line)) for line in data["judges"]),
                rungs=tuple(
                    Rung(**{name: _numbers(part) for name, part in rung.items()})
                    for rung in data["rungs"]
                ),
                corruptions=tuple(data["corruptions"]),
                threshold=_numbers(data["threshold"]),
                patients_a_set=data["patients_a_set"],
                real_sets=data["real_sets"],
                corrupted_sets=data["corrupted_sets"],
                control=Control(**data["control"]) if data["control"] else None,
            )
        except (KeyError, TypeError) as error:
            raise InputError("the fields of a ladder", came=str(error)) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return tuple(_numbers(part) for part in value)
    if value in ("inf", "-inf", "nan"):
        return float(value)
    return value


def corruption_ladder(
    cohort: Cohort,
    judges: Sequence[Judge],
    corruptions: Sequence[Corruption],
    *,
    patients_a_set: int = 40,
    real_sets: int = 1000,
    corrupted_sets: int = 3,
    control: Cohort | None = None,
    seed: int = 0,
    watch: Callable[[str], None] = lambda line: None,
) -> Ladder:
    """Corrupt sets of patients of ``cohort`` in known ways and ask every judge whether it notices.

    A judge notices a corrupted set if its value lies beyond what uncorrupted sets of as many
    patients of the same cohort score, see :class:`RealSets`. All rungs corrupt the same sets with
    the same random numbers: two of them differ in nothing but what is done. Corruptions and judges
    that need something that the cohort has not (references, lesions) are left out.

    Parameters
    ----------
    cohort:
        Real patients who taught neither generator nor judge; at least twice ``patients_a_set``.
    judges:
        See :func:`standard_judges`; any number of a set can be one.
    corruptions:
        See :func:`standard_corruptions`.
    real_sets, corrupted_sets:
        Uncorrupted sets that make the intervals; sets that each rung corrupts.
    control:
        Further real patients, on whom false alarms are counted, in sets that share no patient.
    """
    usable = [judge for judge in judges if _has(cohort, judge.measure.needs)]
    if not usable:
        raise InputError("a judge that has what it needs", came=f"{len(judges)} without")
    owners = cohort.by_patient()
    if not 1 <= patients_a_set <= len(owners) // 2:
        raise InputError(
            f"1 to {len(owners) // 2} patients a set",
            came=patients_a_set,
            remedy="give at least twice as many patients as a set has",
        )
    if min(real_sets, corrupted_sets) < 1:
        raise InputError("one set or more", came=f"{real_sets} and {corrupted_sets}")
    watch("uncorrupted images")
    whole = _measured(usable, cohort)
    drawn = np.empty((real_sets, len(usable)))
    for draw in range(real_sets):
        rng = numpy_stream(seed, "ladder", "real", draw)
        taken = _some(owners, patients_a_set, rng)
        drawn[draw] = _values(usable, whole, taken)
    least = np.array([1 / patients_a_set if judge.counts else 0.0 for judge in usable])
    real = RealSets(drawn, least, patients_a_set / len(owners))
    threshold = real.threshold()
    rungs, described = [], []
    for corruption in corruptions:
        if not _has(cohort, corruption.needs):
            continue
        described.append(
            {
                "name": corruption.name,
                "what": corruption.what,
                "severity_unit": corruption.severity_unit,
                "severities": list(corruption.severities),
            }
        )
        for severity in corruption.severities:
            watch(f"{corruption.name} {severity:g}")
            found = np.empty((corrupted_sets, len(usable)))
            for number in range(corrupted_sets):
                # the same patients, and the same chances, on every rung
                part = cohort.take(
                    _some(owners, patients_a_set, numpy_stream(seed, "ladder", "set", number))
                )
                rng = numpy_stream(seed, "ladder", "corruption", number)
                shown = part.showing(corruption.applies(part, severity, rng).images)
                found[number] = _values(usable, _measured(usable, shown), None)
            rungs.append(_rung(corruption.name, severity, found, usable, real, threshold))
    lines = tuple(_line(judge, real, k) for k, judge in enumerate(usable))
    return Ladder(
        lines,
        tuple(rungs),
        tuple(described),
        threshold,
        patients_a_set,
        real_sets,
        corrupted_sets,
        _control(usable, real, threshold, control, patients_a_set) if control else None,
    )


def _line(judge: Judge, real: RealSets, number: int) -> JudgeLine:
    low, high = (float(bound[number]) for bound in real.bounds())
    least, most = judge.bounds
    median = float(real.centre[number])
    names = (judge.name, judge.level, judge.direction, judge.unit, judge.of)
    return JudgeLine(*names, median, max(low, least), min(high, most))


def _has(cohort: Cohort, needs: Sequence[str]) -> bool:
    return all(getattr(cohort, name) is not None for name in needs)


def _some(
    owners: list[NDArray[np.int64]], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of ``count`` patients, drawn without replacement."""
    chosen = np.sort(rng.choice(len(owners), count, replace=False))
    return np.concatenate([owners[k] for k in chosen])


def _measured(judges: Sequence[Judge], cohort: Cohort) -> dict[Measure, Tensor]:
    """Rows of every measure, each measured once."""
    return {measure: measure.rows(cohort) for measure in dict.fromkeys(j.measure for j in judges)}


def _values(
    judges: Sequence[Judge], rows: dict[Measure, Tensor], taken: NDArray[np.int64] | None
) -> Values:
    at = slice(None) if taken is None else torch.from_numpy(taken)
    return np.array([judge.value(rows[judge.measure][at]) for judge in judges])


def _rung(
    name: str,
    severity: float,
    found: Values,
    judges: Sequence[Judge],
    real: RealSets,
    threshold: float,
) -> Rung:
    strengths = real.strength(found)
    noticed = np.abs(strengths) > threshold
    levels: dict[str, float] = {
        level: float(noticed[:, [j.level == level for j in judges]].any(axis=1).mean())
        for level in dict.fromkeys(j.level for j in judges)
    }
    levels["any"] = float(noticed.any(axis=1).mean())
    return Rung(
        name,
        float(severity),
        _medians(found),
        _medians(strengths),
        tuple(noticed.mean(axis=0).tolist()),
        levels,
    )


def _medians(columns: Values) -> tuple[float, ...]:
    """One a column; of an even number of values the lower, so that infinities are no trouble."""
    found = []
    for column in columns.T:
        known = np.sort(column[~np.isnan(column)])
        found.append(float(known[(len(known) - 1) // 2]) if len(known) else math.nan)
    return tuple(found)


def _control(
    judges: Sequence[Judge], real: RealSets, threshold: float, control: Cohort, size: int
) -> Control:
    owners = control.by_patient()
    rows = _measured(judges, control)
    groups = [owners[k : k + size] for k in range(0, len(owners) - size + 1, size)]
    if not groups:
        raise InputError(f"at least {size} patients", came=len(owners), case="control")
    found = np.stack([_values(judges, rows, np.concatenate(group)) for group in groups])
    strengths = np.abs(real.strength(found))
    beyond = strengths > threshold
    return Control(
        sets=len(groups),
        sets_noticed=int(beyond.any(axis=1).sum()),
        answers=int((~np.isnan(strengths)).sum()),
        outside=int((strengths > 1).sum()),
        noticed=int(beyond.sum()),
    )
