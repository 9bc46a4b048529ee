"""Means in a window that moves over an image."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def window_mean(images: Tensor, size: int) -> Tensor:
    """Mean over ``size`` voxels along each axis, where the window lies inside the image.

    ``(batch, channel, *space)`` to ``(batch, channel, *space - size + 1)``. One axis after the
    other, so the work grows with ``size``, not with its cube.
    """
    dims = images.ndim - 2
    pool = functional.avg_pool2d if dims == 2 else functional.avg_pool3d
    for axis in range(dims):
        window = [1] * dims
        window[axis] = size
        images = pool(images, window, stride=1)
    return images
