"""Physical intensities to model units and back, always by a fixed linear map that is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.image import Image

#: Intervals that are known beforehand, by unit: air to dense bone.
KNOWN_RANGES = {"HU": (-1024.0, 1650.0)}
#: MR has no absolute unit: images may be divided by this quantile of themselves, and say so.
REFERENCE_QUANTILE = 0.99
RELATIVE_UNIT = "of P99"


@dataclass(frozen=True)
class Scale:
    """``low`` to -1 and ``high`` to 1; values outside are kept, not clipped."""

    low: float
    high: float
    unit: str = "a.u."

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError(
                "low below high",
                came=f"{self.low} and {self.high}",
                remedy="is the image constant?",
            )

    def to_model(self, physical: Tensor) -> Tensor:
        """Physical to model units."""
        return (physical - self.low) * (2 / (self.high - self.low)) - 1

    def to_physical(self, model: Tensor) -> Tensor:
        """Model to physical units."""
        return (model + 1) * ((self.high - self.low) / 2) + self.low

    @staticmethod
    def of(images: Iterable[Image], channel: str) -> Scale:
        """The scale of a channel: known for its unit and type, else estimated over ``images``.

        Estimates run from the least to the 99.9th percentile, pooled over the images.
        """
        found: list[np.ndarray] = []
        unit = "a.u."
        for image in images:
            unit = image.unit
            if unit in KNOWN_RANGES:
                return Scale(*KNOWN_RANGES[unit], unit)
            if image.stored == "uint8":
                return Scale(0.0, 255.0, unit)
            values = image.data.flatten().double().numpy()
            found.append(np.quantile(values, np.linspace(0, 0.999, 256)))
        if not found:
            raise InputError("at least one image to learn a scale from", came="none", case=channel)
        pooled = np.concatenate(found)
        low, high = float(pooled.min()), float(np.quantile(pooled, 0.999))
        if low == high:
            raise InputError("images that vary", came=f"the constant {low}", case=channel)
        return Scale(low, high, unit)


def relative(image: Image, case: str) -> Image:
    """The image over its own 99th percentile; InputError where that is not above zero."""
    values = image.require_finite(case).data.float()
    reference = float(torch.quantile(values.flatten(), REFERENCE_QUANTILE))
    if reference <= 0:
        raise InputError("an image that varies", came="a dark image", case=case)
    return image.with_data(values / reference, unit=RELATIVE_UNIT)
