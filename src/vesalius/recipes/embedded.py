"""The data that a recipe uses when it is given none: digital patients."""

from __future__ import annotations

from vesalius.anatomy import DigitalPatients
from vesalius.core.call import Call


def digital_patients(n: int = 160, matrix: int = 128) -> Call:
    """Axial slices of ``n`` digital heads."""
    return Call(DigitalPatients, n=n, size=(matrix, matrix))
