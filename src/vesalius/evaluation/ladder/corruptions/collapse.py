"""One image again and again."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, replaced, share_of_patients


class ModeCollapse(Corruption):
    """A share of the images replaced by one of them, each with a little noise of its own.

    ``noise`` is its standard deviation, in the unit of the images.
    """

    name: ClassVar[str] = "mode collapse"
    what: ClassVar[str] = "images replaced by one patient's, with a little noise of their own"
    severity_unit: ClassVar[str] = "of the patients"

    def __init__(self, noise: float, severities: tuple[float, ...] = (0.1, 0.25, 0.5, 0.9)) -> None:
        self.noise = noise
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """A share of the images shows one patient who is not among those replaced.

        Where all are replaced, that patient is the first.
        """
        rows = share_of_patients(cohort, severity, rng)
        others = np.setdiff1d(np.arange(len(cohort)), rows)
        shown = int(rng.choice(others)) if len(others) else 0
        drawn = rng.standard_normal((len(rows), *cohort.images.shape[1:]))
        copies = cohort.images[shown] + self.noise * torch.from_numpy(drawn).to(cohort.images)
        return replaced(cohort.images, rows, copies)
