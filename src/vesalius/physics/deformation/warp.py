"""Images read at displaced voxels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from vesalius.core.errors import InputError


def warp(
    image: Tensor,
    displacement: Tensor,
    *,
    interpolation: Literal["linear", "nearest"] = "linear",
    outside: Literal["border", "zeros"] = "border",
) -> Tensor:
    """``image`` at p + displacement(p) for every voxel p: ``(batch, channel, *space)``.

    Parameters
    ----------
    image:
        ``(batch, channel, *space)`` with two or three axes of space of two voxels or more.
    displacement:
        ``(batch, axis, *space)`` in voxels, channel k along the k-th axis of space.
    interpolation:
        Between voxels: linear, which is differentiable in both arguments, or the nearest voxel's
        value, for label numbers.
    outside:
        What is read beyond the middle of the last voxel: its value, or zero.

    Raises
    ------
    InputError
        Where the field is not one of the image's grid.
    """
    space = tuple(image.shape[2:])
    dims = len(space)
    if dims not in (2, 3) or min(space) < 2 or displacement.shape != (image.shape[0], dims, *space):
        raise InputError(
            "an image (batch, channel, *space) of 2 or 3 axes and a field (batch, axis, *space)",
            came=f"shapes {tuple(image.shape)} and {tuple(displacement.shape)}",
        )
    normalised = []
    for axis, n in enumerate(space):
        place = torch.arange(n, dtype=image.dtype, device=image.device)
        place = place.view(-1, *[1] * (dims - 1 - axis)) + displacement[:, axis].to(image.dtype)
        normalised.append(place * (2 / (n - 1)) - 1)
    return grid_sample(
        image,
        torch.stack(normalised[::-1], dim=-1),  # torch counts axes from the last
        mode="nearest" if interpolation == "nearest" else "bilinear",
        padding_mode=outside,
        align_corners=True,
    )


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The field that warps as ``first`` and then ``second``: second + first(p + second(p)).

    ``warp(image, compose(first, second))`` is ``warp(warp(image, first), second)`` but for
    interpolation. All are ``(batch, axis, *space)`` in voxels.
    """
    return second + warp(first, second)
