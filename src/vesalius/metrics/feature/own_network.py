"""The small network that learns, from a site's own images, what such images are like."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Channels of each stage as multiples of the width.
MULTIPLES = (1, 2, 4, 8)


#: The least spread of a feature, as a part of the mean one.
LEAST_SPREAD = 0.1


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
    """A residual network of four stages from one grey channel to ``15 * width`` features.

    The features are those of all stages, averaged over space: the last one's know what is where,
    the first ones' see noise and blur.

    Every encoder of :class:`~vesalius.metrics.feature.own_features.OwnFeatures` has this shape, so
    that numbers of two sites differ by their images alone. Groups of channels are normalised
    within each image, so a case does not see its batch.

    Parameters
    ----------
    width:
        Channels of the first stage, a multiple of 8.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.width = width
        widths = [width * multiple for multiple in MULTIPLES]
        self.stem = nn.Conv2d(1, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(_Block(channels) for channels in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(few, many, 3, stride=2, padding=1) for few, many in pairwise(widths)
        )
        self.last_norm = nn.GroupNorm(8, widths[-1])
        self.register_buffer("centre", torch.zeros(self.features))
        self.register_buffer("spread", torch.ones(self.features))

    @property
    def features(self) -> int:
        """How many there are."""
        return self.width * sum(MULTIPLES)

    def forward(self, grey: Tensor) -> Tensor:
        """``(n, 1, height, width)`` in [0, 1] to ``(n, features)``, averaged over space."""
        h, found = self.stem(2 * grey - 1), []
        for place, block in enumerate(self.blocks):
            h = block(h if place == 0 else self.shrink[place - 1](h))
            # the last stage's are normalised within the image; the others' tell noise and contrast
            seen = self.last_norm(h) if place == len(self.blocks) - 1 else h
            found.append(functional.silu(seen).mean((2, 3)))
        return torch.cat(found, 1)

    @torch.no_grad()
    def fit_scale(self, pictures: Iterable[Tensor]) -> None:
        """Keep mean and spread of the features of real ``pictures``, for :meth:`scaled`."""
        found = torch.cat([self(few) for few in pictures]).double()
        spread = found.std(0)
        # what hardly varies among real images must not rule every distance
        spread = spread.clamp_min(LEAST_SPREAD * float(spread.mean()))
        self.centre.copy_(found.mean(0))
        self.spread.copy_(spread)

    def scaled(self, grey: Tensor) -> Tensor:
        """Features in standard deviations of the images that it was trained on."""
        found: Tensor = (self(grey) - self.centre) / self.spread
        return found
