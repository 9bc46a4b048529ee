"""Less resolution than the scanner has."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, everywhere


class Blur(Corruption):
    """A Gaussian blur; a severity is its standard deviation in voxels. Edges are repeated."""

    name: ClassVar[str] = "blur"
    what: ClassVar[str] = "a Gaussian blur of every image"
    severity_unit: ClassVar[str] = "voxels"

    def __init__(self, severities: tuple[float, ...] = (0.3, 0.5, 0.8, 1.2, 2.0)) -> None:
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """Every image blurred alike."""
        from scipy.ndimage import gaussian_filter

        width = (0.0, 0.0, *(severity,) * (cohort.images.ndim - 2))
        blurred = gaussian_filter(cohort.images.double().numpy(), width, mode="nearest")
        return everywhere(torch.from_numpy(blurred).to(cohort.images))
