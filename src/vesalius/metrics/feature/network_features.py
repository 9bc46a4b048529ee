"""Features of a network for photographs: window, three channels, one size, planes of a volume."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window, windowed
from vesalius.metrics.feature.planes import planes
from vesalius.metrics.metric import Extractor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class NetworkFeatures(Extractor):
    """A pre-trained network's pooled features, of 2D images or of slices of volumes.

    The window is mapped to [0, 1] and clipped (outside a mask: 0), repeated to three channels and
    resized bilinearly (with antialiasing) to ``size`` x ``size``. A volume is seen in 2.5D: the
    mean of the features of ``slices`` evenly spaced slices of each of its three planes (the central
    ones for one slice).

    Parameters
    ----------
    window:
        (low, high) in the unit of the images. It is never taken from the images.
    size:
        Pixels along each side at the network's input.
    slices:
        Slices per plane of a volume.
    at_once:
        Slices in one pass; changes memory and time, not values.
    """

    def __init__(
        self,
        window: tuple[float, float],
        *,
        size: int = 224,
        slices: int = 1,
        at_once: int = 16,
    ) -> None:
        if min(size, slices, at_once) < 1:
            raise InputError(
                "positive size, slices and at_once", came=f"{size}, {slices} and {at_once}"
            )
        self.window = check_window(window)
        self.size = size
        self.slices = slices
        self.at_once = at_once

    @abstractmethod
    def pooled(self, photographs: Tensor) -> Tensor:
        """``(n, 3, size, size)`` float32 in [0, 1] to ``(n, feature)``."""

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, *space)`` in physical units to ``(batch, feature)`` float64 on the CPU.

        Raises InputError, naming the index of the image, for an empty mask or values not finite.
        """
        scaled = windowed(images, mask, self.window)
        views = planes(scaled, self.slices)
        with torch.inference_mode():
            found = [self._of_view(view) for view in views]
        # cloned: an inference tensor could not be used in later computations with gradients
        return torch.stack(found).mean(0).clone()

    def _of_view(self, view: Tensor) -> Tensor:
        batch, slices = view.shape[:2]
        flat = view.reshape(batch * slices, 1, *view.shape[2:])
        parts = []
        for few in torch.split(flat, self.at_once):
            sized = functional.interpolate(
                few, size=(self.size,) * 2, mode="bilinear", align_corners=False, antialias=True
            )
            found = self.pooled(sized.expand(-1, 3, -1, -1))
            if found.ndim != 2 or len(found) != len(few):
                raise InputError(
                    f"features of shape ({len(few)}, feature) from the network",
                    came=f"shape {tuple(found.shape)}",
                    remedy="export the network up to its pooled features",
                )
            parts.append(found.cpu().double())
        return torch.cat(parts).reshape(batch, slices, -1).mean(1)


def normalised(
    photographs: Tensor, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> Tensor:
    """``(photographs - mean) / deviation`` by channel, for ``(n, channel, height, width)``."""
    centre = photographs.new_tensor(mean).reshape(-1, 1, 1)
    return (photographs - centre) / photographs.new_tensor(deviation).reshape(-1, 1, 1)
