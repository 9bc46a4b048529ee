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

    Averaging over whole blocks of voxels keeps mean intensities and has an exact geometry. Labels
    and masks take the block's middle voxel.
    """

    size: tuple[int, ...]
    factor: int = 1

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
        return {"size": list(self.size), "factor": self.factor}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Frame:
        """What :meth:`to_json` gave."""
        return Frame(tuple(data["size"]), int(data["factor"]))

    @property
    def field(self) -> tuple[int, ...]:
        """Voxels of the original grid that the frame covers."""
        return tuple(n * self.factor for n in self.size)

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
        if self.factor == 1:
            return cropped
        pool = avg_pool2d if len(self.size) == 2 else avg_pool3d
        return pool(cropped[None], self.factor)[0]

    def place_labels(self, data: Tensor, corner: tuple[int, ...]) -> Tensor:
        """Crop labels and take each block's middle voxel."""
        cropped = self.crop(data.float(), corner, 0.0)
        middle = self.factor // 2
        steps = (slice(None), *[slice(middle, None, self.factor)] * len(self.size))
        return cropped[steps].to(data.dtype)

    def affine(self, image: Image, corner: tuple[int, ...]) -> np.ndarray:
        """The affine of the framed grid."""
        affine = image.affine.copy()
        dims = len(self.size)
        shift = np.zeros(4)
        shift[:dims] = np.asarray(corner) + (self.factor - 1) / 2
        affine[:3, 3] = (image.affine @ (shift + np.array([0, 0, 0, 1])))[:3]
        affine[:3, :dims] *= self.factor
        return affine

    def restore(self, data: Tensor, image: Image, corner: tuple[int, ...], fill: float) -> Tensor:
        """Framed ``(channel, *size)`` back on ``image``'s grid: linear between block centres."""
        if self.factor > 1:
            mode = "bilinear" if len(self.size) == 2 else "trilinear"
            data = interpolate(data[None], scale_factor=self.factor, mode=mode)[0]
        out = torch.full((data.shape[0], *image.space), fill, dtype=data.dtype)
        inside, outside = [slice(None)], [slice(None)]
        for first, n, field in zip(corner, image.space, self.field, strict=True):
            inside.append(slice(max(-first, 0), min(field, n - first)))
            outside.append(slice(max(first, 0), min(first + field, n)))
        out[tuple(outside)] = data[tuple(inside)]
        return out
