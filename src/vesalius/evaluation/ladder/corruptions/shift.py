"""Anatomy in another place than it was."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, everywhere


class Shift(Corruption):
    """A shift along the last axis; a severity is whole voxels. The near edge is repeated."""

    name: ClassVar[str] = "shift"
    what: ClassVar[str] = "every image shifted along one axis"
    severity_unit: ClassVar[str] = "voxels"

    def __init__(self, severities: tuple[float, ...] = (1, 2, 4, 8)) -> None:
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """Every image shifted alike, to the right of the array."""
        voxels, width = round(severity), cohort.images.shape[-1]
        if voxels != severity or not 0 < voxels < width:
            raise InputError(f"whole voxels from 1 to {width - 1}", came=severity, case="shift")
        edge = cohort.images[..., :1].expand(*cohort.images.shape[:-1], voxels)
        return everywhere(torch.cat([edge, cohort.images[..., :-voxels]], dim=-1))
