"""Computed tomography: parallel rays, x to the right and y up, as scikit-image's radon has them."""

from vesalius.physics.ct.filtered_back_projection import filtered_back_projection
from vesalius.physics.ct.line_integrals import LineIntegrals
from vesalius.physics.ct.low_dose import LowDoseCT

__all__ = ["LineIntegrals", "LowDoseCT", "filtered_back_projection"]
