"""The maps from which SSIM and MS-SSIM are made."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.pixel.window import Window, averaged

K1, K2 = 0.01, 0.03  # Wang et al. 2004, section III-C


def check_fits(space: Sequence[int], needed: int, remedy: str) -> None:
    """Raise InputError unless every axis of ``space`` has at least ``needed`` voxels."""
    if min(space) < needed:
        raise InputError(
            f"at least {needed} voxels along every axis of the window",
            came="x".join(map(str, space)),
            remedy=remedy,
        )


def similarity_maps(
    x: Tensor, y: Tensor, ranges: Tensor, window: Window, axes: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Luminance l and contrast-structure cs of two images; SSIM is l cs (Wang 2004, eq. 6 to 13).

    ``x``, ``y``: ``(batch, channel, *space)`` float64. ``ranges``: ``(batch,)``, the data range of
    each case. Both maps are shorter than the images by the window's size - 1 along ``axes``.
    """
    taps = window.taps()
    across = (-1,) + (1,) * (x.ndim - 1)
    c1, c2 = ((k * ranges).square().view(across) for k in (K1, K2))
    mean_x, mean_y = averaged(x, taps, axes), averaged(y, taps, axes)
    # only the sum of both variances is asked for, so four averages do; nothing is changed in place,
    # since losses follow gradients through here
    covariance = averaged(x * y, taps, axes)
    variances = averaged(x * x + y * y, taps, axes)
    product = mean_x * mean_y
    squares = mean_x.square() + mean_y.square()
    n = window.size ** len(axes)
    correction = n / (n - 1) if window.sample_covariance else 1.0
    luminance = (2 * product + c1) / (squares + c1)
    structure = (2 * correction * (covariance - product) + c2) / (
        correction * (variances - squares) + c2
    )
    return luminance, structure


def inside(mask: Tensor | None, radius: int, axes: tuple[int, ...]) -> Tensor | None:
    """``mask`` without the border of ``radius`` voxels along ``axes``."""
    if mask is None:
        return None
    for axis in axes:
        mask = mask.narrow(axis, radius, mask.shape[axis] - 2 * radius)
    return mask


def every_second(mask: Tensor | None, axes: tuple[int, ...]) -> Tensor | None:
    """``mask`` at every second voxel along ``axes``, from the first."""
    if mask is None:
        return None
    for axis in axes:
        mask = mask[(slice(None),) * axis + (slice(None, None, 2),)]
    return mask


def prepared(
    images: Tensor,
    limits: tuple[float, float] | None,
    mask: Tensor | None,
    blank_outside: bool,
) -> Tensor:
    """``images`` clipped to ``limits`` and counted from the lower one; lowest outside the mask.

    SSIM's luminance term asks how large values are, so it needs a zero: HU are counted from the
    lower limit where there is one.
    """
    if limits is None:
        return images
    images = images.clamp(*limits) - limits[0]
    if mask is not None and blank_outside:
        images = torch.where(mask, images, 0.0)
    return images
