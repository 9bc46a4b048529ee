"""LPIPS: the learnt perceptual distance, with the weights of its authors and no others."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.description import parameters_of
from vesalius.metrics.feature.slice_distance import SliceDistance
from vesalius.metrics.feature.torchscript import WEIGHTS, scripted_network


@dataclass(frozen=True)
class LPIPS(SliceDistance):
    """Learned perceptual image patch similarity, by a TorchScript file of the whole network.

    The file is what ``torch.jit.trace(lpips.LPIPS(net="alex"), (image, image)).save(path)`` wrote:
    two images ``(n, 3, height, width)`` in [-1, 1] to one distance each. Its name is part of the
    number (AlexNet, VGG and SqueezeNet give other values). Without the file there is an InputError,
    never a random network; for a distance without a download take :class:`EfficientNetDistance`.

    Parameters
    ----------
    path:
        The TorchScript file.
    window:
        (low, high) in the unit of the images, mapped to [-1, 1].
    size:
        Pixels along each side at the network's input; None leaves slices as they are (AlexNet
        needs about 32).
    slices:
        Of each of the three planes of a volume.
    at_once:
        Slices in one pass; changes memory and time, not values.

    References
    ----------
    Zhang et al. 2018, arXiv:1801.03924.
    """

    name: ClassVar[str] = "lpips"
    citation: ClassVar[str] = "Zhang et al. 2018, arXiv:1801.03924"

    path: str
    window: tuple[float, float]
    size: int | None = field(default=None, kw_only=True)
    slices: int = field(default=4, kw_only=True)
    at_once: int = field(default=16, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        self.check_parameters()

    def between(self, predicted: Tensor, reference: Tensor, mask: Tensor | None) -> Tensor:
        """What the network says of images in [-1, 1]."""
        network = _network(self.path).to(predicted.device)
        found = torch.as_tensor(network(2 * predicted - 1, 2 * reference - 1))
        if found.numel() != len(predicted):
            raise InputError(
                f"one distance for each of {len(predicted)} pairs",
                came=f"shape {tuple(found.shape)}",
                case=self.path,
                remedy="export the network with its weights over layers and its mean over space",
            )
        return found.reshape(-1)


@lru_cache(maxsize=4)
def _network(path: str) -> torch.jit.ScriptModule:
    remedy = (
        f"get the weights from {WEIGHTS['lpips']} and save the whole network with "
        "torch.jit.trace, or take EfficientNetDistance"
    )
    return scripted_network(Path(path), remedy)
