"""Distances of two images that a network for photographs sees, slice by slice."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.planes import planes
from vesalius.metrics.inputs import checked
from vesalius.metrics.metric import CaseMetric


class SliceDistance(CaseMetric):
    """The mean distance of slices in a stated window; of a volume, across its three axes.

    Both images are cut out by the mask (outside: the window's lower end), so that what lies outside
    does not count. Slices without a voxel of the mask are left out. Channels are seen one at
    a time, as grey.
    """

    level = "feature"
    direction = "down"

    window: tuple[float, float]
    size: int | None
    slices: int
    at_once: int

    @property
    def unit(self) -> str:
        """A distance of features."""
        return "1"

    def check_parameters(self) -> None:
        """Raise InputError for a window or sizes that cannot be."""
        check_window(self.window)
        if min(self.slices, self.at_once) < 1 or (self.size is not None and self.size < 1):
            raise InputError(
                "positive size, slices and at_once",
                came=f"{self.size}, {self.slices} and {self.at_once}",
            )

    @abstractmethod
    def between(self, predicted: Tensor, reference: Tensor, mask: Tensor | None) -> Tensor:
        """``(n,)`` of ``(n, 3, height, width)`` float32 in [0, 1]; the mask ``(n, 1, ...)``."""

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or in none of the slices."""
        predicted, reference, mask = checked(predicted, reference, mask)
        batch, channels = predicted.shape[:2]
        low, high = self.window
        pair = []
        for images in (predicted, reference):
            scaled = ((images - low) / (high - low)).clamp(0, 1)
            if mask is not None:
                scaled = scaled * mask
            pair.append(planes(scaled.flatten(0, 1)[:, None], self.slices))
        masks: list[Tensor | None] = [None] * len(pair[0])
        if mask is not None:
            masks = [*planes(mask.flatten(0, 1)[:, None], self.slices)]
        views = [self._of_view(*view) for view in zip(*pair, masks, strict=True)]
        found = torch.cat([view.reshape(batch, -1) for view in views], dim=1)
        assert found.shape[1] % channels == 0
        return found.nanmean(1)

    def _of_view(self, a: Tensor, b: Tensor, mask: Tensor | None) -> Tensor:
        """``(batch, slice, height, width)`` twice to ``(batch, slice)``; NaN without a mask."""
        shape = a.shape[:2]
        flat = [images.flatten(0, 1)[:, None].float() for images in (a, b)]
        inside = None if mask is None else mask.flatten(0, 1)[:, None]
        found = torch.empty(len(flat[0]), dtype=torch.float64)
        with torch.inference_mode():
            for start in range(0, len(found), self.at_once):
                few = slice(start, start + self.at_once)
                seen = None if inside is None else inside[few]
                first, second = (self._sized(images[few]).expand(-1, 3, -1, -1) for images in flat)
                found[few] = self.between(first, second, seen).cpu().double()
        if inside is not None:
            found[~inside.flatten(1).any(1).cpu()] = math.nan
        return found.reshape(shape)

    def _sized(self, images: Tensor) -> Tensor:
        if self.size is None:
            return images
        return functional.interpolate(
            images, size=(self.size,) * 2, mode="bilinear", align_corners=False, antialias=True
        )
