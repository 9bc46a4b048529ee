"""Bringing images of many sizes to one grid, and predictions back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d, interpolate, pad

from vesalius.core.errors import InputError
from vesalius.core.image import Image


@dataclass(frozen=True)
class Frame:
    """A crop or pad to ``size`` x ``factor`` voxels about a centre, then averaging by ``factor``.

    ``factor`` is one whole number, or a number for each axis: 1.5 averages over a voxel and a half,
    so that no signal is lost or aliased. Averages over blocks keep mean intensities and have an
    exact geometry. Labels and masks take the voxel in the block's middle.
    """

    size: tuple[int, ...]
    factor: int | tuple[float, ...] = 1

    def __post_init__(self) -> None:
        whole = all((n * by).is_integer() for n, by in zip(self.size, self.factors, strict=True))
        if not whole or min(self.factors) < 1:
            raise InputError(
                "one factor of averaging an axis, at least 1, and a field of whole voxels",
                came=f"{self.size} voxels of {self.factor}",
            )

    @property
    def factors(self) -> tuple[float, ...]:
        """Voxels that are averaged along each axis."""
        if isinstance(self.factor, tuple):
            return tuple(map(float, self.factor))
        return (float(self.factor),) * len(self.size)

    @staticmethod
    def fitting(size: tuple[int, ...], space: tuple[int, ...], case: str) -> Frame:
        """The frame of ``size`` whose field is nearest to images of ``space``."""
        if len(size) != len(space):
            raise InputError(
                f"images with {len(size)} axes of space",
                came=f"{len(space)} axes",
                case=case,
                remedy="give slices to a 2D recipe and volumes to a 3D one",
            )
        return Frame(size, max(1, round(max(space) / max(size))))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        by = list(self.factor) if isinstance(self.factor, tuple) else self.factor
        return {"size": list(self.size), "factor": by}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Frame:
        """What :meth:`to_json` gave."""
        by = data["factor"]
        return Frame(tuple(data["size"]), tuple(by) if isinstance(by, list) else int(by))

    @property
    def field(self) -> tuple[int, ...]:
        """Voxels of the original grid that the frame covers."""
        return tuple(round(n * by) for n, by in zip(self.size, self.factors, strict=True))

    def corner(self, image: Image, mask: Image | None) -> tuple[int, ...]:
        """First voxel of the field, about the mask's bounding box or the image's middle."""
        if len(image.space) != len(self.size):
            raise InputError(
                f"images with {len(self.size)} axes of space",
                came=f"{len(image.space)} axes",
                remedy="give slices to a 2D recipe and volumes to a 3D one",
            )
        centre = [(n - 1) / 2 for n in image.space]
        if mask is not None and bool(mask.data.any()):
            inside = mask.data[0].nonzero()
            low, high = inside.amin(0).tolist(), inside.amax(0).tolist()
            centre = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        corner = []
        for middle, n, field in zip(centre, image.space, self.field, strict=True):
            first = round(middle - (field - 1) / 2)
            # where the image fits, keep it whole
            first = min(max(first, n - field), 0) if field >= n else min(max(first, 0), n - field)
            corner.append(first)
        return tuple(corner)

    def crop(self, data: Tensor, corner: tuple[int, ...], fill: float) -> Tensor:
        """``(channel, *space)`` to the field at ``corner``, filled with ``fill`` outside."""
        slices, padding = [slice(None)], []
        for first, n, field in zip(corner, data.shape[1:], self.field, strict=True):
            slices.append(slice(max(first, 0), max(0, min(first + field, n))))
            padding.append((max(-first, 0), max(first + field - n, 0)))
        flat = [side for pair in reversed(padding) for side in pair]
        return pad(data[tuple(slices)], flat, value=fill)

    def place(self, data: Tensor, corner: tuple[int, ...], fill: float) -> Tensor:
        """Crop and average floating-point data to ``(channel, *size)``."""
        cropped = self.crop(data.float(), corner, fill)
        if isinstance(self.factor, int):
            if self.factor == 1:
                return cropped
            pool = avg_pool2d if len(self.size) == 2 else avg_pool3d
            return pool(cropped[None], self.factor)[0]
        for axis, (n, by) in enumerate(zip(self.size, self.factors, strict=True), start=1):
            if by != 1:
                shares = block_shares(n, by).to(cropped)
                cropped = torch.tensordot(cropped, shares, ([axis], [1])).movedim(-1, axis)
        return cropped.contiguous()

    def place_labels(self, data: Tensor, corner: tuple[int, ...]) -> Tensor:
        """Crop labels and take each block's middle voxel."""
        cropped = self.crop(data.float(), corner, 0.0)
        for axis, (n, by) in enumerate(zip(self.size, self.factors, strict=True), start=1):
            middles = torch.tensor([int((k + 0.5) * by) for k in range(n)])
            cropped = cropped.index_select(axis, middles)
        return cropped.to(data.dtype)

    def affine(self, image: Image, corner: tuple[int, ...]) -> np.ndarray:
        """The affine of the framed grid."""
        affine = image.affine.copy()
        dims = len(self.size)
        shift = np.zeros(4)
        shift[:dims] = np.asarray(corner) + (np.asarray(self.factors) - 1) / 2
        affine[:3, 3] = (image.affine @ (shift + np.array([0, 0, 0, 1])))[:3]
        affine[:3, :dims] *= self.factors
        return affine

    def restore(self, data: Tensor, image: Image, corner: tuple[int, ...], fill: float) -> Tensor:
        """Framed ``(channel, *size)`` back on ``image``'s grid: linear between block centres."""
        if max(self.factors) > 1:
            mode = "bilinear" if len(self.size) == 2 else "trilinear"
            data = interpolate(data[None], size=self.field, mode=mode)[0]
        out = torch.full((data.shape[0], *image.space), fill, dtype=data.dtype)
        inside, outside = [slice(None)], [slice(None)]
        for first, n, field in zip(corner, image.space, self.field, strict=True):
            inside.append(slice(max(-first, 0), min(field, n - first)))
            outside.append(slice(max(first, 0), min(first + field, n)))
        out[tuple(outside)] = data[tuple(inside)]
        return out


def block_shares(n: int, by: float) -> Tensor:
    """``(n, n * by)``: what part of block k each voxel is; rows sum to one."""
    edges = torch.arange(n + 1, dtype=torch.float64) * by
    voxels = torch.arange(round(n * by) + 1, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], voxels[None, :-1])
    high = torch.minimum(edges[1:, None], voxels[None, 1:])
    return (high - low).clamp_min(0) / by
