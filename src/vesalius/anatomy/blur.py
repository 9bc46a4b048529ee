"""Gaussian point spread along the axes of a grid."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

#: Full width at half maximum over standard deviation.
FWHM_PER_DEVIATION = 2 * math.sqrt(2 * math.log(2))


def gaussian_blur(image: Tensor, deviations: tuple[float, ...]) -> Tensor:
    """Blur ``image`` ``(*space)`` by ``deviations`` in pixels, one an axis; edges are repeated."""
    for axis, deviation in enumerate(deviations):
        if deviation <= 0.05:
            continue
        radius = max(1, math.ceil(3 * deviation))
        steps = torch.arange(-radius, radius + 1, dtype=image.dtype)
        kernel = torch.exp(-0.5 * (steps / deviation) ** 2)
        kernel = kernel / kernel.sum()
        moved = torch.movedim(image, axis, -1)
        flat = moved.reshape(-1, 1, moved.shape[-1])
        padded = functional.pad(flat, (radius, radius), mode="replicate")
        blurred = functional.conv1d(padded, kernel[None, None])
        image = torch.movedim(blurred.reshape(moved.shape), -1, axis)
    return image.contiguous()
