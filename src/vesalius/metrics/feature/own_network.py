"""The small network that learns, from a site's own images, what such images are like."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

#: Channels of each stage as multiples of the width.
MULTIPLES = (1, 2, 4, 8)


class _Block(nn.Module):
    """Two normalised convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(8, channels) for _ in range(2))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, height, width)`` to the same shape."""
        h = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            h = convolution(functional.silu(norm(h)))
        return x + h


class OwnNetwork(nn.Module):
    """A residual network of four stages from one grey channel to ``8 * width`` features.

    Every encoder of :class:`~vesalius.metrics.feature.own_features.OwnFeatures` has this shape, so
    that numbers of two sites differ by their images alone. Groups of channels are normalised
    within each image, so a case does not see its batch.

    Parameters
    ----------
    width:
        Channels of the first stage, a multiple of 8.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.width = width
        widths = [width * multiple for multiple in MULTIPLES]
        self.stem = nn.Conv2d(1, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(_Block(channels) for channels in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(few, many, 3, stride=2, padding=1) for few, many in pairwise(widths)
        )
        self.last_norm = nn.GroupNorm(8, widths[-1])

    @property
    def features(self) -> int:
        """How many there are."""
        return self.width * MULTIPLES[-1]

    def forward(self, grey: Tensor) -> Tensor:
        """``(n, 1, height, width)`` in [0, 1] to ``(n, features)``, averaged over space."""
        h = self.stem(2 * grey - 1)
        for place, block in enumerate(self.blocks):
            h = block(h if place == 0 else self.shrink[place - 1](h))
        found: Tensor = functional.silu(self.last_norm(h)).mean((2, 3))
        return found
