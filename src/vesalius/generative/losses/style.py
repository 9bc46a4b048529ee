"""Distance of textures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.feature_maps import (
    EfficientNetLite0Maps,
    FeatureMaps,
    photographs,
)
from vesalius.generative.losses.loss import Loss, reference


def gram_matrix(features: Tensor) -> Tensor:
    """Mean products of features over places, ``(n, feature, *space)`` to ``(n, f, f)``."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


@dataclass(frozen=True)
class Style(Loss):
    """Mean squared difference of Gram matrices of feature maps, averaged over maps and planes.

    Which features go together, wherever they are: texture without place. Gatys et al., CVPR 2016,
    doi:10.1109/CVPR.2016.265. In units of the features to the fourth. Settings as for Perceptual.
    """

    weight: float = 1.0
    features: FeatureMaps = field(default_factory=EfficientNetLite0Maps)
    against: Literal["wanted", "given"] = "wanted"
    slices: int = 4
    at_least: int = 32
    window: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        if min(self.slices, self.at_least) < 1 or not self.window[0] < self.window[1]:
            raise InputError(
                "positive slices and at_least, and a window (low, high)",
                came=f"{self.slices}, {self.at_least} and {self.window}",
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        truth = reference(predicted, batch, self.against)
        found = []
        for drawn, true in zip(
            photographs(predicted, self.window, self.slices, self.at_least),
            photographs(truth, self.window, self.slices, self.at_least),
            strict=True,
        ):
            with torch.no_grad():
                known = self.features.maps(true)
            for a, b in zip(self.features.maps(drawn), known, strict=True):
                found.append((gram_matrix(a) - gram_matrix(b)).square().mean())
        return torch.stack(found).mean()
