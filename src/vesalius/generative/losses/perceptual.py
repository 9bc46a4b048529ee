"""Distance of what a network sees."""

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


@dataclass(frozen=True)
class Perceptual(Loss):
    """Mean absolute or squared difference of feature maps, averaged over maps and planes.

    In (squared) units of ``features``, which names the network; it is frozen. With ``normalise``
    the features at each place are first divided by their length, as in LPIPS (Zhang et al. 2018,
    arXiv:1801.03924), which takes the unit away. Johnson et al. 2016, arXiv:1603.08155. A volume is
    seen as ``slices`` slices across each axis (tri-plane). ``window`` (model units) becomes [0, 1].
    One deep map is a content loss; ``against`` "given" needs no pairs.
    """

    weight: float = 1.0
    features: FeatureMaps = field(default_factory=EfficientNetLite0Maps)
    norm: Literal["l1", "l2"] = "l1"
    normalise: bool = False
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
                error = _unit(a) - _unit(b) if self.normalise else a - b
                found.append((error.abs() if self.norm == "l1" else error.square()).mean())
        return torch.stack(found).mean()


def _unit(features: Tensor) -> Tensor:
    return torch.nn.functional.normalize(features, dim=1, eps=1e-8)
