"""Widen, convolve every channel by itself, weigh channels, narrow: cheap in three dimensions."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.image_network import convolution


class InvertedBottleneck(nn.Module):
    """Four times the channels inside, with squeeze and excitation; no norm, nothing added.

    ``forward`` takes ``(batch, channels, *space)`` and returns the same shape.

    Reference: Sandler et al., MobileNetV2, CVPR 2018, arXiv:1801.04381; Hu et al.,
    Squeeze-and-excitation networks, CVPR 2018, arXiv:1709.01507.
    """

    def __init__(self, channels: int, dims: Literal[2, 3], *, expansion: int = 4) -> None:
        super().__init__()
        conv, wide = convolution(dims), expansion * channels
        self.widen, self.narrow = conv(channels, wide, 1), conv(wide, channels, 1)
        self.near = conv(wide, wide, 3, padding=1, groups=wide)
        self.squeeze, self.excite = nn.Linear(wide, channels), nn.Linear(channels, wide)

    def forward(self, x: Tensor) -> Tensor:
        """Image to image."""
        h = functional.silu(self.near(functional.silu(self.widen(x))))
        weights = self.excite(functional.silu(self.squeeze(h.flatten(2).mean(2)))).sigmoid()
        narrowed: Tensor = self.narrow(h * weights.reshape(*weights.shape, *[1] * (x.ndim - 2)))
        return narrowed
