"""Maps of features that a frozen network sees in an image, for losses of perception and style."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.losses.frozen_network import frozen_network
from vesalius.metrics.feature.efficientnet import EfficientNetLite0Features
from vesalius.metrics.feature.network_features import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    normalised,
)


class FeatureMaps(ABC):
    """A named, frozen extractor of maps from photographs; gradients flow to the photographs."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Which network, for the log and the report."""

    @abstractmethod
    def maps(self, photographs: Tensor) -> tuple[Tensor, ...]:
        """``(n, 3, height, width)`` in [0, 1] to maps ``(n, feature, *space)``, shallow first."""


@dataclass(frozen=True)
class EfficientNetLite0Maps(FeatureMaps):
    """Outputs of some of the 16 blocks of EfficientNet-Lite0, trained on ImageNet.

    Block 0 has 16 features at a half of the resolution, 2 has 24 at 1/4, 4 has 40 at 1/8, 10 has
    112 at 1/16, 15 has 320 at 1/32. Weights come with the extra "features"; MissingExtra without
    it. Made for 224x224 pixels; it takes any size from 32.
    """

    blocks: tuple[int, ...] = (0, 2, 4, 10)

    def __post_init__(self) -> None:
        if not self.blocks or min(self.blocks) < 0 or max(self.blocks) > 15:
            raise InputError("blocks from 0 to 15", came=self.blocks)

    @property
    def name(self) -> str:
        """Network and blocks."""
        return f"efficientnet_lite0 blocks {', '.join(map(str, self.blocks))}"

    def maps(self, photographs: Tensor) -> tuple[Tensor, ...]:
        """One map a block."""
        network: Any = _efficientnet().to(photographs)
        x = normalised(photographs, IMAGENET_MEAN, IMAGENET_DEVIATION)
        x = network._swish(network._bn0(network._conv_stem(x)))
        found = {}
        for number, block in enumerate(network._blocks[: max(self.blocks) + 1]):
            x = block(x)
            found[number] = x
        return tuple(found[number] for number in sorted(self.blocks))


@lru_cache(maxsize=1)
def _efficientnet() -> torch.nn.Module:
    return EfficientNetLite0Features((-1.0, 1.0)).network


@dataclass(frozen=True)
class ScriptedMaps(FeatureMaps):
    """Maps of a TorchScript network: VGG, RadImageNet, MedicalNet's student, or one's own.

    The network takes ``(n, 3, height, width)`` and returns one map ``(n, feature, *space)`` or a
    tuple or list of maps. Nothing is downloaded; InputError without the file. ``mean`` and
    ``deviation`` are subtracted from and divided into each channel of the image in [0, 1].
    """

    path: str
    mean: tuple[float, float, float] = IMAGENET_MEAN
    deviation: tuple[float, float, float] = IMAGENET_DEVIATION

    def __post_init__(self) -> None:
        if not min(self.deviation) > 0:
            raise InputError("deviations above zero", came=self.deviation)

    @property
    def name(self) -> str:
        """The file's."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".pt")

    def maps(self, photographs: Tensor) -> tuple[Tensor, ...]:
        """What the network returns."""
        network = frozen_network(self.path).to(photographs)
        found = network(normalised(photographs, self.mean, self.deviation))
        return (found,) if isinstance(found, Tensor) else tuple(found)


def photographs(
    images: Tensor, window: tuple[float, float], slices: int, at_least: int
) -> list[Tensor]:
    """Images as a network for photographs takes them: one ``(n, 3, height, width)`` a plane.

    The window is mapped to [0, 1] and clipped, each channel is seen by itself as grey. Of a volume,
    ``slices`` evenly spaced slices across each of its three axes are taken. What is smaller than
    ``at_least`` pixels on a side is enlarged bilinearly to that.
    """
    low, high = window
    scaled = ((images - low) / (high - low)).clamp(0, 1)
    if images.ndim == 4:
        planes = [scaled.flatten(0, 1)]
    else:
        volumes = scaled.flatten(0, 1)
        planes = []
        for axis in (1, 2, 3):
            length = volumes.shape[axis]
            chosen = [int((number + 0.5) / slices * length) for number in range(slices)]
            index = torch.tensor(chosen, device=images.device)
            planes.append(volumes.index_select(axis, index).movedim(axis, 1).flatten(0, 1))
    return [_enlarged(plane[:, None], at_least).expand(-1, 3, -1, -1) for plane in planes]


def _enlarged(grey: Tensor, at_least: int) -> Tensor:
    height, width = grey.shape[2:]
    if min(height, width) >= at_least:
        return grey
    size = (max(height, at_least), max(width, at_least))
    return torch.nn.functional.interpolate(grey, size=size, mode="bilinear", align_corners=False)
