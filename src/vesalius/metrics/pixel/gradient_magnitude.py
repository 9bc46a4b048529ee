"""How steep an image is, by the small derivative masks that gradient similarities use."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.metrics.pixel.window import averaged, mirrored

PREWITT = (1 / 3, 1 / 3, 1 / 3)
SCHARR = (3 / 16, 10 / 16, 3 / 16)
"""Weights across the direction of the derivative; along it they are -1, 0, 1."""

Border = Literal["zero", "mirror", "exclude"]


def gradient_magnitude(
    images: Tensor, across: tuple[float, float, float], axes: tuple[int, ...], border: Border
) -> Tensor:
    """Root of the summed squares of the derivatives along ``axes``; per two voxels.

    ``border``: "zero" or "mirror" is what lies around the image, and the result has its size;
    "exclude" leaves out the outermost voxels.
    """
    if border == "mirror":
        images = mirrored(images, 1, axes)
    elif border == "zero":
        pads = [1 if axis in axes else 0 for axis in range(images.ndim) for _ in range(2)]
        images = functional.pad(images, pads[::-1])
    smoothing = torch.tensor(across, dtype=torch.float64)
    total: Tensor | None = None
    for axis in axes:
        length = images.shape[axis] - 2
        slope = images.narrow(axis, 2, length) - images.narrow(axis, 0, length)
        square = averaged(slope, smoothing, tuple(other for other in axes if other != axis))
        square = square.square_()
        total = square if total is None else total.add_(square)
    assert total is not None
    return total.sqrt_()
