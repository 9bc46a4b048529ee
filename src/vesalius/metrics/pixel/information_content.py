"""How much information on the reference an observer finds at each voxel of a band.

Shapes: n cases and channels, K neighbours (and the parent), V voxels.
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
NO_SHARE = 1e-14  # of the largest variance
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
    of_parent = None if parent is None else parent.flatten(0, 1)
    gains, distortions = gain.flatten(0, 1), distortion.flatten(0, 1)
    inner = tuple(axis - 1 for axis in axes)
    return _bits(y.flatten(0, 1), of_parent, gains, distortions, inner).view_as(gain)


def _slabs(
    y: Tensor, parent: Tensor | None, axes: tuple[int, ...]
) -> Iterator[tuple[slice, Tensor]]:
    """Slabs of inner voxels along the first axis of space, and their neighbourhoods, nKV."""
    inner = [n - 2 if axis in axes else n for axis, n in enumerate(y.shape)]
    others = inner[0] * math.prod(inner[2:])
    step = max(1, CHUNK_VOXELS // max(1, others))
    shifts = [range(3) if axis in axes else range(1) for axis in range(y.ndim)]
    middle = [1 if axis in axes else 0 for axis in range(y.ndim)]
    for start in range(0, inner[1], step):
        depth = min(step, inner[1] - start)
        rows = [(y, shift) for shift in itertools.product(*shifts)]
        if parent is not None:
            rows.append((parent, tuple(middle)))
        around = []
        for part, shift in rows:
            part = part.narrow(1, start + shift[1], depth)
            for axis in range(2, y.ndim):
                part = part.narrow(axis, shift[axis], inner[axis])
            around.append(part)
        yield slice(start, start + depth), torch.stack(around, 1).flatten(2)


def _bits(
    y: Tensor, parent: Tensor | None, gain: Tensor, distortion: Tensor, axes: tuple[int, ...]
) -> Tensor:
    second_nKK: Tensor | None = None
    for _, around_nKV in _slabs(y, parent, axes):
        part = around_nKV @ around_nKV.mT
        second_nKK = part if second_nKK is None else second_nKK + part
    assert second_nKK is not None
    count = max(1, math.prod(gain.shape[1:]))
    variances_nK, directions_nKK = torch.linalg.eigh(second_nKK / count)
    # what rounding makes of directions without variance is left out, with the same total
    kept = variances_nK > variances_nK[:, -1:].clamp(min=0) * NO_SHARE
    total = variances_nK.sum(1, keepdim=True)
    variances_nK = variances_nK.masked_fill(~kept, 0)
    whole = variances_nK.sum(1, keepdim=True)
    variances_nK = variances_nK * torch.where(whole > 0, total / whole, 1.0)
    inverse_nK = torch.where(kept, 1 / variances_nK, 0.0)
    found = torch.empty_like(gain)
    for slab, around_nKV in _slabs(y, parent, axes):
        along_nKV = directions_nKK.mT @ around_nKV
        neighbours = around_nKV.shape[1]
        scale = (along_nKV.square_() * inverse_nK[:, :, None]).sum(1) / neighbours
        g, v = (values[:, slab].flatten(1) for values in (gain, distortion))
        spread = (v + (1 + g * g) * NOISE_VARIANCE) * scale / NOISE_VARIANCE**2
        ratio_nKV = torch.where(
            kept[:, :, None],
            variances_nK[:, :, None] * spread[:, None] + (v / NOISE_VARIANCE)[:, None],
            0.0,
        )
        found[:, slab] = ratio_nKV.log1p_().sum(1).view_as(found[:, slab])
    return found
