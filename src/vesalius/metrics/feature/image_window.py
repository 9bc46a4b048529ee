"""Images in a stated window, as networks take them: checked, in [0, 1], nothing outside a mask."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.core.errors import InputError


def check_window(window: tuple[float, float], name: str = "window") -> tuple[float, float]:
    """The same as floats; InputError unless it is (low, high), finite, with low < high."""
    low, high = window
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"'{name}' (low, high), finite, with low < high", came=repr(window))
    return float(low), float(high)


def windowed(images: Tensor, mask: Tensor | None, window: tuple[float, float]) -> Tensor:
    """``(batch, 1, *space)`` with ``window`` mapped to [0, 1] and clipped; float32.

    What lies outside ``mask``, of the images' shape, is 0. Raises InputError for other shapes and,
    naming the index of the image, for an empty mask or values that are not finite.
    """
    if images.ndim not in (4, 5) or images.shape[1] != 1 or 0 in images.shape:
        raise InputError(
            "images of shape (batch, 1, *space) with 2 or 3 axes of space",
            came=f"shape {tuple(images.shape)}",
            remedy="pass one channel at a time",
        )
    if mask is not None and mask.shape != images.shape:
        raise InputError(
            f"a mask of the images' shape {tuple(images.shape)}",
            came=f"shape {tuple(mask.shape)}",
        )
    for index, image in enumerate(images):
        if not torch.isfinite(image).all():
            raise InputError("finite values", came="NaN or infinity", case=f"image {index}")
        if mask is not None and not mask[index].any():
            raise InputError(
                "a mask with at least one voxel",
                came="an empty mask",
                case=f"image {index}",
                remedy="leave this image out",
            )
    low, high = window
    scaled = ((images.detach().float() - low) / (high - low)).clamp(0, 1)
    return scaled if mask is None else scaled * mask.bool()
