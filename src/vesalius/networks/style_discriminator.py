"""The residual discriminator of StyleGAN2."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.equalised import (
    GAIN,
    EqualisedConvolution,
    EqualisedLinear,
    rectified,
)
from vesalius.networks.image_network import (
    average_over_space,
    check_image,
    check_level,
    check_pooled_condition,
)
from vesalius.networks.padding import pad
from vesalius.networks.smooth_resampling import halved, smoothed
from vesalius.networks.vector_generator import extents


def group_deviation(x: Tensor, group: int) -> Tensor:
    """How much cases of a group differ, (batch, 1, *space): one number a group, at every place.

    The standard deviation of every feature over the group, averaged (Karras et al., ICLR 2018,
    arXiv:1710.10196, section 3). Groups are as large as the largest divisor of the batch that is at
    most ``group``; case k is in group k modulo their number.
    """
    batch = x.shape[0]
    size = max(part for part in range(1, min(group, batch) + 1) if batch % part == 0)
    groups = x.reshape(size, batch // size, -1)
    spread = (groups - groups.mean(0)).square().mean(0)  # torch's own variance is slow here
    each = (spread + 1e-8).sqrt().mean(1)
    return each.repeat(size).reshape(batch, *[1] * (x.ndim - 1)).expand(-1, 1, *x.shape[2:])


class _Block(nn.Module):
    """Two convolutions, the second of half the resolution, beside one of one voxel."""

    def __init__(self, before: int, after: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        half = math.sqrt(0.5)  # of the variance, from either way
        self.first = EqualisedConvolution(before, before, 3, dims, padding=1, gain=GAIN)
        self.second = EqualisedConvolution(before, after, 3, dims, stride=2, gain=GAIN * half)
        self.around = EqualisedConvolution(before, after, 1, dims, gain=half, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = rectified(self.first(x))
        h = rectified(self.second(smoothed(h, 2)))
        judged: Tensor = h + self.around(halved(x))
        return judged


class StyleDiscriminator(nn.Module):
    """Residual blocks to one grid, told how much the batch differs, to logits.

    Karras et al., CVPR 2020, arXiv:1912.04958 (figure 7c); a condition is judged by projection, as
    in their later work (arXiv:2006.06676). Smaller images are mirrored at their borders up to
    ``extent``; larger ones are judged at several places.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the image, and logits.
    dims:
        Axes of space.
    condition_channels:
        Channels of a condition ``(batch, condition_channels, *any space)``, averaged over space.
    width, multipliers:
        Channels at full resolution are ``width`` times the first multiplier, and so on.
    extent:
        Voxels along every axis of the image that the last layers see whole.
    group:
        Cases that are compared with each other, in train and in eval mode; 1 for none. More tie
        the cases of a batch together: a gradient penalty is no longer of one case alone.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 1,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 16,
        multipliers: tuple[int, ...] = (1, 2, 4, 4),
        extent: int | tuple[int, ...] = 32,
        group: int = 4,
    ) -> None:
        if not multipliers or group < 1:
            raise InputError(
                "at least one multiplier and a group of 1 or more",
                came=f"multipliers {multipliers} and group {group}",
                case="StyleDiscriminator",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.group, self.multiple = group, 2 ** (len(multipliers) - 1)
        self.extent, base = extents(extent, dims, len(multipliers) - 1, "StyleDiscriminator")
        widths = [width * multiplier for multiplier in multipliers]
        self.stem = EqualisedConvolution(channels_in, widths[0], 1, dims, gain=GAIN)
        self.blocks = nn.ModuleList(_Block(low, high, dims) for low, high in pairwise(widths))
        high = widths[-1]
        self.lowest = EqualisedConvolution(high + (group > 1), high, 3, dims, padding=1, gain=GAIN)
        self.whole = EqualisedConvolution(high, high, base, dims, gain=GAIN)
        self.last = EqualisedConvolution(high, channels_out, 1, dims)
        self.embed = EqualisedLinear(condition_channels, high) if condition_channels else None

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[Tensor]:
        """Give every resolution's map ``(batch, channel, *fewer voxels)``, the logits last.

        Arguments and errors are those of :meth:`forward`.
        """
        check_image(self, x)
        check_level(self, x.shape[0], level)
        check_pooled_condition(self, x.shape[0], condition)
        h = rectified(self.stem(pad(x, self.multiple, self.extent)))
        found = []
        for block in self.blocks:
            h = block(h)
            found.append(h)
        if self.group > 1:
            h = torch.cat([h, group_deviation(h, self.group)], 1)
        h = rectified(self.lowest(h))
        found.append(h)
        h = rectified(self.whole(h))
        logits: Tensor = self.last(h)
        if self.embed is not None:
            assert condition is not None
            told = self.embed(average_over_space(condition))
            told = told.reshape(*told.shape, *[1] * self.dims) / math.sqrt(told.shape[1])
            logits = logits + (told * h).sum(1, keepdim=True)
        return [*found, logits]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to logits ``(batch, channels_out, *places)``.

        One place for images of up to ``extent``. ``condition`` is given exactly where one is taken;
        anything that does not fit, and any level, raises InputError.
        """
        return self.features(x, level, condition)[-1]
