"""More noise than the scanner makes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, everywhere


class Noise(Corruption):
    """White Gaussian noise; a severity is its standard deviation as a part of ``data_range``."""

    name: ClassVar[str] = "noise"
    what: ClassVar[str] = "white noise on every image"
    severity_unit: ClassVar[str] = "of the data range"

    def __init__(
        self, data_range: float, severities: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05, 0.1)
    ) -> None:
        self.data_range = data_range
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """Every image with noise of its own."""
        drawn = torch.from_numpy(rng.standard_normal(tuple(cohort.images.shape)))
        return everywhere(cohort.images + severity * self.data_range * drawn.to(cohort.images))
