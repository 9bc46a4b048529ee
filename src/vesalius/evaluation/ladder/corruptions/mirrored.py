"""Left and right exchanged."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, replaced, share_of_patients


class Mirrored(Corruption):
    """A share of the images mirrored along the last axis (left and right, in axial slices)."""

    name: ClassVar[str] = "mirrored organ"
    what: ClassVar[str] = "left and right exchanged"
    severity_unit: ClassVar[str] = "of the patients"

    def __init__(self, severities: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)) -> None:
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """A share of the images mirrored; mirroring twice gives the image back."""
        rows = share_of_patients(cohort, severity, rng)
        return replaced(cohort.images, rows, cohort.images[torch.as_tensor(rows)].flip(-1))
