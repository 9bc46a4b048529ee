"""Tissues in wrong proportion to one another."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, everywhere


class WrongContrast(Corruption):
    """Intensities between the limits raised to a power; a severity is the power.

    The limits themselves stay where they are; values below the lower one become it.
    """

    name: ClassVar[str] = "wrong contrast"
    what: ClassVar[str] = "intensities of every image raised to a power"
    severity_unit: ClassVar[str] = "power"

    def __init__(
        self,
        limits: tuple[float, float],
        severities: tuple[float, ...] = (1.02, 1.05, 1.1, 1.3, 1.8),
    ) -> None:
        if not limits[0] < limits[1]:
            raise InputError("limits (low, high) with low below high", came=repr(limits))
        self.limits = limits
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """Every image alike."""
        low, high = self.limits
        part = ((cohort.images - low) / (high - low)).clamp_min(0)
        return everywhere(low + (high - low) * part**severity)
