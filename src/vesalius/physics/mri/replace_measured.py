"""Hard data consistency for a single coil."""

from __future__ import annotations

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.mri.cartesian import CartesianMRI


def replace_measured(x: Tensor, y: Tensor, operator: CartesianMRI) -> Tensor:
    """``x + A^H (y - A x)``: the sampled k-space of ``x`` replaced by what was measured.

    For a single coil whose map has magnitude one, ``A A^H`` is the sampling itself, so this is the
    projection of ``x`` onto all images that explain ``y`` exactly, noise included. With several
    coils it is a gradient step and no projection: their k-spaces are not independent, and noisy
    ones are explained by no image at all. Then use :func:`vesalius.physics.proximal.proximal`,
    whose limit for growing strength this is.

    Shapes as for the operator; raises InputError for several coils.
    """
    if operator.n_coils != 1:
        raise InputError(
            "a single coil", came=f"{operator.n_coils} coils", remedy="use proximal() instead"
        )
    return x + operator.adjoint(y - operator.forward(x))
