"""An image as bands of frequencies, each half the size of the one before.

Reference: Burt & Adelson, IEEE Trans Commun 31:532, 1983, doi:10.1109/TCOM.1983.1095851; binomial
weights times the root of two along each axis, as in IW-SSIM.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.metrics.pixel.offset import without_offset

_BINOMIAL = [weight / 16 * math.sqrt(2) for weight in (1, 4, 6, 4, 1)]


def along(matrix: Tensor, images: Tensor, axis: int) -> Tensor:
    """``matrix`` ``(out, in)`` times ``images`` along one axis."""
    return (images.movedim(axis, -1) @ matrix.T.to(images.device)).movedim(-1, axis)


def _smoothed(rows: Tensor) -> Tensor:
    kernel = torch.tensor(_BINOMIAL, dtype=torch.float64).view(1, 1, 5)
    return functional.conv1d(functional.pad(rows[:, None], (2, 2), mode="reflect"), kernel)[:, 0]


@lru_cache(maxsize=64)
def _shrinking(size: int) -> Tensor:
    return _smoothed(torch.eye(size, dtype=torch.float64))[:, ::2].T.contiguous()


@lru_cache(maxsize=64)
def _growing(size: int) -> Tensor:
    half = (size + 1) // 2
    spread = torch.zeros(half, 2 * half, dtype=torch.float64)
    spread[torch.arange(half), 2 * torch.arange(half)] = 1.0
    return _smoothed(spread)[:, :size].T.contiguous()


@lru_cache(maxsize=64)
def _enlarging(size: int) -> Tensor:
    # four times as many samples by straight lines, one more at each end, then every second
    rows = torch.eye(size, dtype=torch.float64)[:, None]
    fine = functional.interpolate(rows, size=4 * size - 3, mode="linear", align_corners=False)[:, 0]
    first = 2 * fine[:, :1] - fine[:, 1:2]
    last = 2 * fine[:, -1:] - fine[:, -2:-1]
    return torch.cat([first, fine, last], 1)[:, ::2].T.contiguous()


def enlarged(images: Tensor, space: tuple[int, ...], axes: tuple[int, ...]) -> Tensor:
    """A coarser band at the size of the finer one (Wang & Li 2011, for the parent)."""
    for axis, size in zip(axes, space, strict=True):
        images = along(_enlarging(images.shape[axis]), images, axis).narrow(axis, 0, size)
    return images


def laplacian_pyramid(images: Tensor, levels: int, axes: tuple[int, ...]) -> list[Tensor]:
    """``levels`` bands of ``(batch, channel, *space)``, finest first; the last is what remains.

    Each axis of ``axes`` has half as many voxels, rounded up, from band to band. Every step
    multiplies what remains by the root of two along each axis. A constant has only the last band.
    """
    offset = images - without_offset(images)
    remaining, bands = images - offset, []
    for _ in range(levels - 1):
        coarse = remaining
        for axis in axes:
            coarse = along(_shrinking(coarse.shape[axis]), coarse, axis)
        predicted = coarse
        for axis in axes:
            predicted = along(_growing(remaining.shape[axis]), predicted, axis)
        bands.append(remaining - predicted)
        remaining = coarse
    first = (slice(None), slice(None), *(slice(1) for _ in range(images.ndim - 2)))
    gain = math.sqrt(2) ** (len(axes) * (levels - 1))
    return [*bands, remaining + gain * offset[first]]
