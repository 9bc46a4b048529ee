"""Flips and shifts that keep anatomy plausible."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from vesalius.core.image import Image


def shifted(data: Tensor, shift: tuple[int, ...], fill: float) -> Tensor:
    """``(channel, *space)`` moved by whole voxels, filled with ``fill``."""
    margin = [max(abs(s), 0) for s in shift]
    flat = [m for m in reversed(margin) for _ in range(2)]
    padded = pad(data, flat, value=fill)
    steps = tuple(
        slice(m - s, m - s + n) for m, s, n in zip(margin, shift, data.shape[1:], strict=True)
    )
    return padded[(slice(None), *steps)]


def left_right_axis(image: Image) -> int | None:
    """The axis of space along which the patient's left and right lie; None where none does."""
    directions = np.abs(image.affine[:3, : len(image.space)])
    directions = directions / np.linalg.norm(directions, axis=0)
    axis = int(directions[0].argmax())
    return axis if directions[0, axis] > 0.8 else None


def augmented(
    parts: Mapping[str, Tensor],
    fills: Mapping[str, float],
    rng: np.random.Generator,
    *,
    flip_axis: int | None,
    reach: int,
) -> dict[str, Tensor]:
    """All ``parts`` of a case flipped and shifted alike.

    ``flip_axis`` counts axes of space, see :func:`left_right_axis` (None never flips); shifts are
    uniform in [-reach, reach] voxels.
    """
    dims = next(iter(parts.values())).ndim - 1
    flip = bool(rng.random() < 0.5)
    shift = tuple(int(s) for s in rng.integers(-reach, reach + 1, size=dims))
    moved: dict[str, Tensor] = {}
    for name, data in parts.items():
        if data.dtype == torch.bool:
            out = shifted(data.float(), shift, fills[name]) > 0.5
        else:
            out = shifted(data, shift, fills[name])
        moved[name] = out.flip(flip_axis + 1) if flip and flip_axis is not None else out
    return moved
