"""How much information on the reference an observer finds at each voxel of a band.

Shapes: K neighbours (and the parent), V voxels.
Reference: Wang & Li, IEEE TIP 20:1185, 2011, doi:10.1109/TIP.2010.2092435, section III.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vesalius.metrics.pixel.window import averaged

NOISE_VARIANCE = 0.4  # of the observer, in grey levels squared
NO_VARIANCE = 1e-12
CHUNK_VOXELS = 65_536
_BLOCK = torch.full((3,), 1 / 3, dtype=torch.float64)


def information_content(
    x: Tensor, y: Tensor, parent: Tensor | None, axes: tuple[int, ...]
) -> Tensor:
    """Bits at each voxel whose neighbours lie in the image, ``(batch, channel, *space)``.

    ``x``, ``y``: a band of the prediction and of the reference. ``parent``: the reference's coarser
    band at the same size, or None. A voxel's neighbourhood in the reference is a Gaussian scale
    mixture whose covariance is that of the case and channel; the prediction is a gain times the
    reference, plus noise.
    """
    mean_x, mean_y = averaged(x, _BLOCK, axes), averaged(y, _BLOCK, axes)
    covariance = averaged(x * y, _BLOCK, axes) - mean_x * mean_y
    var_x = (averaged(x * x, _BLOCK, axes) - mean_x * mean_x).clamp_(min=0)
    var_y = (averaged(y * y, _BLOCK, axes) - mean_y * mean_y).clamp_(min=0)
    gain = (covariance / var_y).masked_fill_((var_y < NO_VARIANCE) | (var_x < NO_VARIANCE), 0)
    distortion = (var_x - gain * covariance).clamp_(min=0)
    found = torch.empty_like(var_y)
    for case, channel in itertools.product(range(y.shape[0]), range(y.shape[1])):
        at = (case, channel)
        found[at] = _of_one(
            y[at],
            None if parent is None else parent[at],
            gain[at],
            distortion[at],
            tuple(axis - 2 for axis in axes),
        )
    return found


def _slabs(
    y: Tensor, parent: Tensor | None, axes: tuple[int, ...]
) -> Iterator[tuple[slice, Tensor]]:
    """Slabs of inner voxels along the first axis, and their neighbourhoods ``(K, V)``."""
    inner = tuple(n - 2 if axis in axes else n for axis, n in enumerate(y.shape))
    step = max(1, CHUNK_VOXELS // math.prod(inner[1:]))
    shifts = [range(3) if axis in axes else range(1) for axis in range(y.ndim)]
    for start in range(0, inner[0], step):
        depth = min(step, inner[0] - start)
        sizes = (depth, *inner[1:])
        rows = []
        for shift in itertools.product(*shifts):
            part = y
            for axis, (offset, size) in enumerate(zip(shift, sizes, strict=True)):
                part = part.narrow(axis, offset + (start if axis == 0 else 0), size)
            rows.append(part)
        if parent is not None:
            part = parent
            for axis, size in enumerate(sizes):
                first = (1 if axis in axes else 0) + (start if axis == 0 else 0)
                part = part.narrow(axis, first, size)
            rows.append(part)
        yield slice(start, start + depth), torch.stack(rows).flatten(1)


def _of_one(
    y: Tensor, parent: Tensor | None, gain: Tensor, distortion: Tensor, axes: tuple[int, ...]
) -> Tensor:
    second_KK: Tensor | None = None
    for _, around_KV in _slabs(y, parent, axes):
        part = around_KV @ around_KV.T
        second_KK = part if second_KK is None else second_KK + part
    assert second_KK is not None
    variances_K, directions_KK = torch.linalg.eigh(second_KK / gain.numel())
    kept = variances_K > variances_K[-1] * 1e-14
    if not bool((variances_K[-1] > 0) & kept.any()):
        return torch.zeros_like(gain)
    total = variances_K.sum()
    variances_K, directions_KK = variances_K[kept], directions_KK[:, kept]
    variances_K = variances_K * (total / variances_K.sum())
    found = torch.empty_like(gain)
    for slab, around_KV in _slabs(y, parent, axes):
        along_KV = directions_KK.T @ around_KV
        scale = (along_KV.square_() / variances_K[:, None]).sum(0) / len(around_KV)
        g, v = gain[slab].flatten(), distortion[slab].flatten()
        spread = (v + (1 + g * g) * NOISE_VARIANCE) * scale / NOISE_VARIANCE**2
        ratio_KV = variances_K[:, None] * spread + v / NOISE_VARIANCE
        found[slab] = ratio_KV.log1p_().sum(0).view_as(gain[slab])
    return found
