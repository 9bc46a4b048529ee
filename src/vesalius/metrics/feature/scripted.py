"""Features of a network that the user brings as a TorchScript file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.network_features import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    NetworkFeatures,
    normalised,
)
from vesalius.metrics.feature.torchscript import scripted_network


class ScriptedFeatures(NetworkFeatures):
    """Pooled features of a TorchScript network: RadImageNet, Inception, SwAV, or one's own.

    Nothing is downloaded and nothing is ever random: without the file there is an InputError that
    says where such weights come from. The extractor's name is the file's, ``radimagenet_resnet50``
    for ``radimagenet_resnet50.pt``. The network takes ``(n, 3, size, size)`` and returns
    ``(n, feature)``, or ``(n, feature, height, width)``, which is averaged over space.

    Parameters
    ----------
    path:
        What ``torch.jit.script(network).save(path)`` or ``torch.jit.trace`` wrote.
    window, size, slices, at_once:
        As in :class:`NetworkFeatures`.
    mean, deviation:
        Subtracted from and divided into each channel of the image in [0, 1]; ImageNet's by default.
        For a network that takes 0 to 255: mean 0, deviation 1/255.
    """

    citation = "a network given as a file"

    def __init__(
        self,
        path: str | Path,
        window: tuple[float, float],
        *,
        size: int = 224,
        slices: int = 1,
        at_once: int = 16,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        deviation: tuple[float, float, float] = IMAGENET_DEVIATION,
    ) -> None:
        super().__init__(window, size=size, slices=slices, at_once=at_once)
        if min(deviation) <= 0:
            raise InputError("positive deviations", came=deviation)
        self.path = Path(path)
        self.mean = mean
        self.deviation = deviation
        self.name = self.path.stem  # type: ignore[misc]

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        """The network of the file, in evaluation mode."""
        return scripted_network(
            self.path,
            "download the network from its authors (RadImageNet: "
            "github.com/BMEII-AI/RadImageNet; ImageNet: torchvision) and save it with "
            "torch.jit.script, or use RadiomicFeatures or EfficientNetLite0Features",
        )

    def pooled(self, photographs: Tensor) -> Tensor:
        """``(n, 3, size, size)`` in [0, 1] to ``(n, feature)``."""
        network = self.network.to(photographs.device)
        found = torch.as_tensor(network(normalised(photographs, self.mean, self.deviation)))
        return found.mean((2, 3)) if found.ndim == 4 else found
