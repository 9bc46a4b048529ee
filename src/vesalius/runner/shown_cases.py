"""Which cases a report shows: around the median, the best and the worst by each measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vesalius.core.record import Direction
from vesalius.reports.content import Kind

#: By the main measure; the others add one case of each kind.
TYPICAL, WORST = 3, 4
#: Measures that choose cases; tables name the extremes of all.
CHOOSING = 6


@dataclass
class ShownCase:
    """The place of a case, and by which measures it is typical, best or worst."""

    place: int
    roles: dict[Kind, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """Worst by any measure, else best by any, else typical."""
        kinds: tuple[Kind, ...] = ("worst", "best")
        return next((kind for kind in kinds if kind in self.roles), "typical")

    @property
    def reasons(self) -> str:
        """Of every kind, by which measures.

        >>> ShownCase(0, {"best": ["mae", "psnr"], "worst": ["ssim"]}).reasons
        'Best by mae and psnr; worst by ssim.'
        """
        told = "; ".join(f"{kind} by {' and '.join(names)}" for kind, names in self.roles.items())
        return f"{told[:1].upper()}{told[1:]}." if told else ""


def from_best(values: Sequence[float], direction: Direction) -> list[int]:
    """Places of the values that are defined, the best first; equal ones in their order.

    >>> from_best([2.0, float("nan"), -1.0, 3.0], "zero")
    [2, 0, 3]
    """
    badness = {"down": lambda v: v, "up": lambda v: -v, "zero": abs}[direction]
    known = [place for place, value in enumerate(values) if not math.isnan(value)]
    return sorted(known, key=lambda place: badness(values[place]))


def shown_cases(
    directions: Mapping[str, Direction], values: Mapping[str, Sequence[float]]
) -> tuple[ShownCase, ...]:
    """The cases to show, by name of measure, the main one first; without measures, none.

    Of the main measure ``TYPICAL`` cases around the median, the best and the ``WORST`` worst, and
    fewer where that were more than a fifth each; of the others the median, the best and the worst.
    A case that several measures choose comes once.
    """
    found: dict[int, ShownCase] = {}
    for number, (name, direction) in enumerate(list(directions.items())[:CHOOSING]):
        order = from_best(values[name], direction)
        most = max(1, len(order) // 5) if number == 0 else 1
        typical, worst = min(TYPICAL, most), min(WORST, most)
        middle = max(0, (len(order) - 1) // 2 - (typical - 1) // 2)
        chosen: dict[Kind, list[int]] = {
            "typical": order[middle : middle + typical],
            "best": order[:1],
            "worst": order[:0:-1][:worst],
        }
        for kind, places in chosen.items():
            for place in places:
                roles = found.setdefault(place, ShownCase(place)).roles
                roles.setdefault(kind, []).append(name)
    return tuple(found.values())
