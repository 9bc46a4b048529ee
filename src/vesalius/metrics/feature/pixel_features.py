"""The image itself as features, small: what the nearest neighbours of copies are sought in."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window, windowed
from vesalius.metrics.metric import Extractor


class PixelFeatures(Extractor):
    """The window mapped to [0, 1], averaged down to ``size`` pixels along each side, laid in a row.

    Divided by the square root of their number, so that the Euclidean distance of two images is the
    root mean square of their difference, as a part of the window. 2D or 3D.

    Parameters
    ----------
    window:
        (low, high) in the unit of the images. It is never taken from the images.
    size:
        Pixels along each axis after averaging: finer differences do not count.

    References
    ----------
    Carlini et al. 2023, arXiv:2301.13188 (copies told by the distance of pixels).
    """

    name = "pixels"
    citation = "Carlini et al. 2023, arXiv:2301.13188"

    def __init__(self, window: tuple[float, float], *, size: int = 32) -> None:
        if size < 1:
            raise InputError("a positive size", came=size)
        self.window = check_window(window)
        self.size = size

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, *space)`` to ``(batch, size**axes)`` float64 on the CPU."""
        scaled = windowed(images, mask, self.window)
        pool = (
            functional.adaptive_avg_pool2d if images.ndim == 4 else functional.adaptive_avg_pool3d
        )
        rows: Tensor = pool(scaled, self.size).flatten(1).cpu().double()
        return rows / math.sqrt(rows.shape[1])
