"""Computed tomography."""

from vesalius.physics.ct.low_dose import LowDoseCT
from vesalius.physics.ct.parallel_beam import ParallelBeam

__all__ = ["LowDoseCT", "ParallelBeam"]
