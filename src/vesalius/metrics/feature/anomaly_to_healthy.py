"""AHI: how much of the way from diseased to healthy images a restoration goes, as a set."""

from __future__ import annotations

import math

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.frechet import FrechetDistance
from vesalius.metrics.metric import SetMetric


class AnomalyToHealthyIndex(SetMetric):
    """AHI: the part of the distance of diseased from healthy images that restoration takes away.

    ``max(0, (d(P, N) - d(RP, N)) / (d(P, N) - d(UN, N)))`` with diseased images P, their
    restorations RP (the generated set), healthy images N (the real set) and healthy images UN that
    nobody has seen. 0 where restorations are no nearer, 1 where they are as near as unseen healthy
    images, above 1 where nearer still. This form is inferred from what the authors published, not
    read in their text.

    Parameters
    ----------
    diseased, unseen:
        Features ``(n, feature)`` of P and of UN, by the extractor of the two sets that are judged.
    distance:
        FID unless said otherwise.

    References
    ----------
    Bercea et al. 2025, Nat Commun 16:1624.
    """

    name = "ahi"
    level = "feature"
    direction = "up"
    bounds = (0.0, math.inf)
    citation = "after Bercea et al. 2025, Nat Commun 16:1624"

    def __init__(
        self, diseased: Tensor, unseen: Tensor, *, distance: SetMetric | None = None
    ) -> None:
        self.diseased = diseased
        self.unseen = unseen
        self.distance = distance or FrechetDistance()

    @property
    def unit(self) -> str:
        """A ratio."""
        return "1"

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Of restored diseased images and of healthy ones; InputError where P is not far from N."""
        ill = self.distance.value(self.diseased, real)
        well = self.distance.value(self.unseen, real)
        if not ill > well:
            raise InputError(
                "diseased images farther from healthy ones than unseen healthy images are",
                came=f"distances {ill:.4g} and {well:.4g}",
                remedy="give more images, or another extractor: this one sees no disease",
            )
        return max(0.0, (ill - self.distance.value(generated, real)) / (ill - well))
