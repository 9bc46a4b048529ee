"""A perceptual distance without a download: stages of EfficientNet-Lite0. It is not LPIPS."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.description import parameters_of
from vesalius.metrics.feature.efficientnet import EfficientNetLite0Features
from vesalius.metrics.feature.network_features import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    normalised,
)
from vesalius.metrics.feature.slice_distance import SliceDistance


@dataclass(frozen=True)
class EfficientNetDistance(SliceDistance):
    """Squared difference of unit features of EfficientNet-Lite0, averaged over space and blocks.

    Built as LPIPS is, with another network and without its learnt weights over features: values do
    not compare with LPIPS. From 0 to 4. The mean over space is that over the mask. Weights come
    with the extra "features"; MissingExtra without it.

    Parameters
    ----------
    window:
        (low, high) in the unit of the images.
    blocks:
        Which of the 16 blocks are compared, shallow to deep: halved after 0, 2, 4 and 10.
    size:
        Pixels along each side at the network's input, 224 in its training; None leaves slices as
        they are.
    slices, at_once:
        As in :class:`LPIPS`.

    References
    ----------
    Zhang et al. 2018, arXiv:1801.03924 (its unweighted form); Tan and Le 2019, arXiv:1905.11946.
    """

    name: ClassVar[str] = "efficientnet_distance"
    citation: ClassVar[str] = "after Zhang et al. 2018, arXiv:1801.03924, with EfficientNet-Lite0"

    window: tuple[float, float]
    blocks: tuple[int, ...] = field(default=(0, 2, 4, 10, 15), kw_only=True)
    size: int | None = field(default=224, kw_only=True)
    slices: int = field(default=4, kw_only=True)
    at_once: int = field(default=16, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        self.check_parameters()
        if not self.blocks or min(self.blocks) < 0 or max(self.blocks) > 15:
            raise InputError("blocks from 0 to 15", came=self.blocks)

    def between(self, predicted: Tensor, reference: Tensor, mask: Tensor | None) -> Tensor:
        """Over both images at once, block by block."""
        network = _network().to(predicted.device)
        x = normalised(torch.cat([predicted, reference]), IMAGENET_MEAN, IMAGENET_DEVIATION)
        x = network._swish(network._bn0(network._conv_stem(x)))
        total = x.new_zeros(len(predicted), dtype=torch.float64)
        for number, block in enumerate(network._blocks[: max(self.blocks) + 1]):
            x = block(x)
            if number in self.blocks:
                a, b = functional.normalize(x.double(), dim=1, eps=1e-10).chunk(2)
                apart = (a - b).square().sum(1)
                if mask is None:
                    total += apart.mean((1, 2))
                else:
                    size = (apart.shape[1], apart.shape[2])
                    weight = functional.adaptive_avg_pool2d(mask.double(), size)[:, 0]
                    total += (apart * weight).sum((1, 2)) / weight.sum((1, 2))
        mean: Tensor = total / len(set(self.blocks))
        return mean


@lru_cache(maxsize=1)
def _network() -> Any:
    return EfficientNetLite0Features((0.0, 1.0)).network
