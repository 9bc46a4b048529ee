"""What an image is beside its level."""

from __future__ import annotations

from torch import Tensor


def without_offset(images: Tensor) -> Tensor:
    """``images`` less the first voxel of each case and channel: a constant becomes exactly zero.

    For measures that do not see a level: what rounding leaves of a constant is then no structure.
    """
    return images - images.flatten(2)[..., :1].reshape(*images.shape[:2], *(1,) * (images.ndim - 2))
