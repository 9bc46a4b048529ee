"""Distance of wavelet coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


def haar_bands(images: Tensor) -> Tensor:
    """One level of the orthonormal Haar transform, ``(batch, channel * 2^dims, *space / 2)``.

    The first channels are the low band. Sizes are even.
    """
    bands = images
    for axis in range(2, images.ndim):
        pairs = bands.reshape(*bands.shape[:axis], -1, 2, *bands.shape[axis + 1 :])
        first, second = pairs.unbind(axis + 1)
        bands = torch.cat([first + second, first - second], dim=1) / 2**0.5
    return bands


@dataclass(frozen=True)
class Wavelet(Loss):
    """Mean absolute or squared error of all coefficients of a Haar transform; in model units.

    ``levels`` times the low band is split again. The transform is orthonormal, so with ``norm``
    "l2" and ``low_weight`` 1 it equals L2. ``low_weight`` weighs the last low band; 0 leaves the
    details alone.
    """

    weight: float = 1.0
    levels: int = 2
    norm: Literal["l1", "l2"] = "l1"
    low_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.levels < 1 or not self.low_weight >= 0:
            raise InputError(
                "levels of 1 or more and a low_weight of zero or more",
                came=f"{self.levels} and {self.low_weight}",
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0. Raises InputError for sizes that do not halve so often."""
        low = predicted - reference(predicted, batch)
        if any(size % 2**self.levels for size in low.shape[2:]):
            raise InputError(
                f"sizes that are multiples of {2**self.levels}",
                came="x".join(map(str, low.shape[2:])),
                remedy="use fewer levels",
            )
        channels, count, total = low.shape[1], low.numel(), low.new_zeros(())
        for _ in range(self.levels):
            bands = haar_bands(low)
            low, details = bands[:, :channels], bands[:, channels:]
            total = total + self._sum(details)
        return (total + self.low_weight * self._sum(low)) / count

    def _sum(self, coefficients: Tensor) -> Tensor:
        return (coefficients.abs() if self.norm == "l1" else coefficients.square()).sum()
