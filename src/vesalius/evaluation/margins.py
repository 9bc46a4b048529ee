"""Stated margins: which systems lose no more than that to a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vesalius.core.rng import numpy_stream
from vesalius.evaluation.measures import CaseValues, Measure, finite_difference
from vesalius.evaluation.noninferiority import ALPHA, NonInferiority, non_inferiority
from vesalius.evaluation.statistics import holm


@dataclass(frozen=True)
class MarginTest:
    """Whether a system loses no more than a margin to the reference; ``p_holm`` over all such."""

    measure: Measure
    system: str
    reference: str
    result: NonInferiority
    p_holm: float = math.nan

    @property
    def shown(self) -> bool:
        """Whether it is shown after adjustment, at one-sided 0.025."""
        return self.p_holm <= ALPHA


def margin_tests(
    by_case: Sequence[CaseValues], reference: str, margins: Mapping[str, float], seed: int
) -> tuple[MarginTest, ...]:
    """Test every other system against ``reference`` where a margin is stated for the metric.

    One-sided at 0.025, adjusted by Holm. Metrics with an infinite difference are left out.
    """
    found = []
    for one in by_case:
        margin = margins.get(one.measure.metric)
        if margin is None:
            continue
        for system, values in one.values.items():
            if system == reference or not finite_difference(values, one.values[reference]):
                continue
            rng = numpy_stream(seed, "margin", one.measure.group, one.measure.metric, system)
            result = non_inferiority(
                values, one.values[reference], one.patients, one.measure.direction, margin, rng
            )
            found.append(MarginTest(one.measure, system, reference, result))
    adjusted = holm([test.result.p_value for test in found]).tolist()
    return tuple(replace(test, p_holm=p) for test, p in zip(found, adjusted, strict=True))
