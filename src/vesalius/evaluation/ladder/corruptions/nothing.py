"""No corruption: the control that says how often the ladder cries wolf."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption


class Nothing(Corruption):
    """Images as they were."""

    name: ClassVar[str] = "nothing"
    what: ClassVar[str] = "images as they were"
    severity_unit: ClassVar[str] = ""

    def __init__(self) -> None:
        self.severities = (0.0,)

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """The images themselves."""
        return Corrupted(cohort.images, torch.zeros(len(cohort), dtype=torch.bool))
