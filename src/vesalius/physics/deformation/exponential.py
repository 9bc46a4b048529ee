"""The flow of a velocity that does not change in time."""

from __future__ import annotations

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.deformation.warp import compose


def exponential(velocity: Tensor, *, squarings: int = 6) -> Tensor:
    """Displacement after unit time, by scaling and squaring (Arsigny et al., MICCAI 2006).

    ``velocity`` and the displacement are ``(batch, axis, *space)`` in voxels. The velocity over
    2^squarings is composed with itself as often; where that is well below a voxel, the map is
    invertible and the exponential of ``-velocity`` is its inverse, away from the borders. Beyond
    the borders the field is that of the nearest voxel.
    """
    if squarings < 0:
        raise InputError("no squarings or more", came=squarings)
    displacement: Tensor = velocity / 2**squarings
    for _ in range(squarings):
        displacement = compose(displacement, displacement)
    return displacement
