"""The reconstruction without any: what was not measured is taken for zero."""

from __future__ import annotations

from torch import Tensor

from vesalius.physics.operator import LinearOperator


def zero_filled(y: Tensor, operator: LinearOperator) -> Tensor:
    """``A^H y``: coil-combined image of the zero-filled k-space, ``(batch, 2, *space)``."""
    return operator.adjoint(y)
