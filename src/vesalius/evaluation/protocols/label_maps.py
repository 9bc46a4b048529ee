"""Label maps against label maps: overlap, distances and volumes of every named label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vesalius.core.errors import InputError
from vesalius.evaluation.protocols.protocol import Found, Measure, Pair, Protocol
from vesalius.metrics.clinical import (
    HD95,
    Dice,
    IoU,
    LesionDetectionF1,
    SurfaceDice,
    VolumeError,
)
from vesalius.metrics.metric import CaseMetric

#: Surfaces that lie this near agree, where nobody says otherwise.
TOLERANCE_MM = 2.0


def named_labels(text: str) -> dict[int, str]:
    """Labels by number from what a user types.

    >>> named_labels("1=liver, 2=spleen")
    {1: 'liver', 2: 'spleen'}
    """
    found: dict[int, str] = {}
    for part in text.split(","):
        number, _, name = (piece.strip() for piece in part.partition("="))
        if not number.isdigit() or not name or int(number) in found:
            raise InputError(
                "labels as NUMBER=NAME, each number once, parted by commas", came=repr(text),
                remedy="for example: 1=liver,2=spleen",
            )  # fmt: skip
        found[int(number)] = name
    if len(set(found.values())) < len(found):
        raise InputError("a name of its own for every label", came=repr(text))
    return found


@dataclass(frozen=True)
class LabelMaps(Protocol):
    """Label maps: Dice, IoU, HD95, surface Dice and volume error of every label.

    Parameters
    ----------
    named:
        Numbers and names of the labels; others are not judged.
    tolerance_mm:
        Of surface Dice.
    lesions:
        Whether the parts of a label are lesions, which are counted as found or missed.
    """

    named: tuple[tuple[int, str], ...]
    tolerance_mm: float = TOLERANCE_MM
    lesions: bool = False

    name = "label maps"
    citation = "see each metric"
    labels = True

    @staticmethod
    def of(
        labels: Mapping[int, str], tolerance_mm: float = TOLERANCE_MM, *, lesions: bool = False
    ) -> LabelMaps:
        """For labels by number."""
        return LabelMaps(tuple(labels.items()), tolerance_mm, lesions)

    @property
    def settings(self) -> str:
        """Labels and tolerance."""
        told = ", ".join(f"{number} {name}" for number, name in self.named)
        lesions = "; lesions are connected parts" if self.lesions else ""
        return f"labels {told}; surface Dice at {self.tolerance_mm:g} mm{lesions}"

    def _metrics(
        self, number: int, name: str, spacing_mm: tuple[float, ...]
    ) -> tuple[CaseMetric, ...]:
        """Of one label; volumes in ml need a third axis."""
        metrics: tuple[CaseMetric, ...] = (
            Dice(number, name),
            IoU(number, name),
            HD95(number, name, spacing_mm),
            SurfaceDice(number, name, spacing_mm, tolerance_mm=self.tolerance_mm),
        )
        if self.lesions:
            metrics = (*metrics, LesionDetectionF1(number, name))
        if len(spacing_mm) != 3:
            return metrics
        x, y, z = spacing_mm
        return (*metrics, VolumeError(number, name, (x, y, z)))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Dice of every label first, then the others; volumes of 2D maps are not defined."""
        found = [
            [
                replace(Measure.of(metric), name=f"{name} {metric.name}")
                for metric in self._metrics(number, name, (1.0, 1.0, 1.0))
            ]
            for number, name in self.named
        ]
        return tuple(measure for group in zip(*found, strict=True) for measure in group)

    def values(self, pair: Pair) -> Found:
        """One value a case and label."""
        found: dict[str, tuple[float, ...]] = {
            measure.name: (float("nan"),) for measure in self.measures
        }
        for number, name in self.named:
            for metric in self._metrics(number, name, pair.spacing_mm):
                value = metric.statistic(pair.predicted, pair.reference, pair.mask)
                found[f"{name} {metric.name}"] = (float(value[0]),)
        return found
