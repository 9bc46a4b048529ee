"""Memorisation: generated cases that are copies of training cases, or of one another.

How near is a copy? What real held-out cases say: at most a stated share of them may be called one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.neighbours import nearest
from vesalius.metrics.feature.one_set import OneSetMetric
from vesalius.metrics.metric import Counted, SetMetric


@dataclass(frozen=True)
class CopyThreshold:
    """Below which distance a case is called a copy, and what that costs real cases.

    Parameters
    ----------
    distance:
        A case nearer than this to a training case is called a copy of it.
    allowed_share:
        At most this share of real held-out cases may be called copies.
    called_share:
        The share that is, of ``n`` held-out cases.
    relative_to:
        See :func:`~vesalius.metrics.feature.neighbours.nearest`.
    """

    distance: float
    allowed_share: float
    called_share: float
    n: int
    relative_to: int = 0

    @staticmethod
    def calibrated(
        held_out: Tensor, training: Tensor, *, allowed_share: float = 0.01, relative_to: int = 0
    ) -> CopyThreshold:
        """The largest threshold at which no more real cases than allowed would be called copies.

        ``held_out`` and ``training``: features ``(n, feature)`` of real cases of different
        patients. Where there are fewer than 1 / ``allowed_share`` held-out cases, none is called.
        InputError where held-out cases are exact copies of training cases, more than allowed: then
        patients are in both sets.
        """
        if not 0 <= allowed_share < 1:
            raise InputError("an allowed share from 0 to below 1", came=allowed_share)
        distances = nearest(held_out, training, relative_to=relative_to).distance.sort().values
        threshold = float(distances[math.floor(allowed_share * len(distances))])
        if threshold == 0:
            raise InputError(
                "held-out cases that are no training cases",
                came=f"{int((distances == 0).sum())} of {len(distances)} at distance 0 of one",
                remedy="part the sets by patient",
            )
        called = int((distances < threshold).sum())
        return CopyThreshold(
            threshold, allowed_share, called / len(distances), len(distances), relative_to
        )


@dataclass(frozen=True)
class Pair:
    """A generated case, by its row, and what it is too near to, by its row in the other set."""

    case: int
    other: int
    distance: float


def copies(generated: Tensor, training: Tensor, threshold: CopyThreshold) -> tuple[Pair, ...]:
    """Generated cases nearer to a training case than ``threshold``, the nearest first."""
    found = nearest(generated, training, relative_to=threshold.relative_to)
    return _pairs(found.index, found.distance, threshold.distance)


def duplicates(generated: Tensor, distance: float) -> tuple[Pair, ...]:
    """Pairs of generated cases nearer to one another than ``distance``, the nearest first.

    Each case is paired with its nearest; a pair that finds each other is told once.
    """
    found = nearest(generated, generated, within=True)
    told = []
    for pair in _pairs(found.index, found.distance, distance):
        mutual = int(found.index[pair.other]) == pair.case
        if not (mutual and pair.other < pair.case):
            told.append(pair)
    return tuple(told)


def _pairs(index: Tensor, distance: Tensor, below: float) -> tuple[Pair, ...]:
    rows = sorted((d, case) for case, d in enumerate(distance.tolist()) if d < below)
    return tuple(Pair(case, int(index[case]), d) for d, case in rows)


class CopiedShare(SetMetric):
    """The part of generated cases that are nearer to a training case than a calibrated threshold.

    The real set is the training set of the generator. Read it beside the share of real held-out
    cases that the same threshold calls copies (``threshold.called_share``).

    References
    ----------
    Carlini et al. 2023, arXiv:2301.13188; in medicine Dar et al. 2024, arXiv:2402.01054.
    """

    name = "copied_share"
    level = "feature"
    direction = "down"
    bounds = (0.0, 1.0)
    citation = "Carlini et al. 2023, arXiv:2301.13188"

    def __init__(self, threshold: CopyThreshold) -> None:
        self.threshold = threshold

    @property
    def unit(self) -> str:
        """A fraction of cases."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Of generated and training features."""
        return float(self._called(generated, real).mean())

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """The mean over a resample's cases; the training set stays whole."""
        called = self._called(generated, real)
        return lambda of_generated, of_real: _share(called, of_generated)

    def _called(self, generated: Tensor, real: Tensor) -> Tensor:
        found = nearest(generated, real, relative_to=self.threshold.relative_to)
        return (found.distance < self.threshold.distance).double()


class DuplicateShare(OneSetMetric):
    """The part of generated cases that are nearer to another generated one than a threshold.

    ``distance`` is that of a :class:`CopyThreshold`, or one of the user's in the unit of the
    features. The real set's own share stands beside it.

    References
    ----------
    Carlini et al. 2023, arXiv:2301.13188 (duplicates among images).
    """

    name = "duplicate_share"
    direction = "down"
    bounds = (0.0, 1.0)
    citation = "Carlini et al. 2023, arXiv:2301.13188"

    def __init__(self, distance: float) -> None:
        if not (math.isfinite(distance) and distance > 0):
            raise InputError("a distance above 0", came=distance)
        self.distance = distance

    def of(self, features: Tensor) -> float:
        """Of ``(n, feature)``; at least 2 cases."""
        return float(self._called(features).mean())

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """The mean over a resample's cases; a case drawn twice is no duplicate of itself."""
        called = self._called(generated)
        return lambda of_generated, of_real: _share(called, of_generated)

    def _called(self, features: Tensor) -> Tensor:
        return (nearest(features, features, within=True).distance < self.distance).double()


def _share(called: Tensor, counts: Tensor) -> float:
    counts = counts.to(called)
    return float((counts * called).sum() / counts.sum())
