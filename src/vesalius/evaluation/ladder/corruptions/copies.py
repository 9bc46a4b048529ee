"""Training images handed out as new ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, replaced, share_of_patients


class CopiedTraining(Corruption):
    """A share of the images replaced by different training images ``(m, 1, *space)``, as they are.

    ``noise`` is the standard deviation of what is added to each, in the unit of the images.
    """

    name: ClassVar[str] = "copied training images"
    what: ClassVar[str] = "images replaced by training images"
    severity_unit: ClassVar[str] = "of the patients"

    def __init__(
        self,
        training: Tensor,
        noise: float = 0.0,
        severities: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0),
    ) -> None:
        self.training = training
        self.noise = noise
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """A share of the images replaced; no training image is used twice."""
        rows = share_of_patients(cohort, severity, rng)
        if len(self.training) < len(rows):
            raise InputError(
                f"at least {len(rows)} training images", came=len(self.training), case=self.name
            )
        chosen = torch.as_tensor(rng.choice(len(self.training), len(rows), replace=False))
        copies = self.training[chosen]
        if self.noise:
            drawn = torch.from_numpy(rng.standard_normal(tuple(copies.shape)))
            copies = copies + self.noise * drawn.to(copies)
        return replaced(cohort.images, rows, copies)
