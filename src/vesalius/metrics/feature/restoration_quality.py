"""RQI: how much of a healthy image a restoration keeps, by a perceptual distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class RestorationQualityIndex(CaseMetric):
    """RQI: one less the distance of a healthy image to its restoration, over that to a blank one.

    1 for a restoration that changes nothing, 0 for one no nearer than a blank image, below 0 for a
    worse one. The division by the distance to a blank image is inferred from what the authors
    published, not read in their text. Theirs is LPIPS with AlexNet; with another ``distance`` it
    bears that one's name beside it.

    Parameters
    ----------
    distance:
        A distance of two images, ``LPIPS(path, window)`` as published.
    blank:
        The value of the blank image, in the unit of the images.

    References
    ----------
    Bercea et al. 2025, Nat Commun 16:1624.
    """

    name: ClassVar[str] = "rqi"
    level: ClassVar[Level] = "feature"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "after Bercea et al. 2025, Nat Commun 16:1624"

    distance: CaseMetric
    blank: float

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """A ratio."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` of restorations and their healthy inputs; NaN where the input is blank."""
        kept = self.distance.statistic(predicted, reference, mask)
        nothing = torch.full(reference.shape, self.blank, dtype=torch.float64)
        whole = self.distance.statistic(nothing.to(reference.device), reference, mask)
        return torch.where(whole > 0, 1 - kept / whole, math.nan)
