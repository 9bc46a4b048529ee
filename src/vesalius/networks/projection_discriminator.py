"""A discriminator that judges a whole image, and whether it is of its class."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm as with_spectral_norm

from vesalius.core.errors import InputError
from vesalius.networks.image_network import (
    average_over_space,
    check_image,
    check_level,
    check_pooled_condition,
    convolution,
)
from vesalius.networks.padding import pad


class _Block(nn.Module):
    """Twice activate and convolve, beside a 1-wide convolution; averaged over pairs of voxels.

    What is added is divided by the square root of two, so that the variance stays. No
    normalisation: a gradient penalty is of one case, whatever the others of its batch.
    """

    def __init__(self, before: int, after: int, dims: Literal[2, 3], halve: bool) -> None:
        super().__init__()
        conv = convolution(dims)
        self.first = conv(before, after, 3, padding=1)
        self.second = conv(after, after, 3, padding=1)
        self.around = conv(before, after, 1, bias=False)
        self.pool = (nn.AvgPool2d if dims == 2 else nn.AvgPool3d)(2) if halve else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(functional.leaky_relu(x, 0.2))
        h = self.second(functional.leaky_relu(h, 0.2))
        # a 1-wide convolution of averages is the average of 1-wide convolutions, at a quarter
        judged: Tensor = (self.pool(h) + self.around(self.pool(x))) / 2**0.5
        return judged


class ProjectionDiscriminator(nn.Module):
    """Residual blocks down to features of the whole image; a class is judged by projection.

    The logit is a linear function of the features plus their inner product with an embedding of
    the condition. Nothing is normalised by batch, by group or by instance, so R1 and WGAN-GP
    penalties are exact for each case. An image of any size is mirrored at its borders to a multiple
    of ``2**(levels - 1)``.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the image, and logits a case.
    dims:
        Axes of space.
    condition_channels:
        Channels of a condition ``(batch, condition_channels, *any space)``, averaged over space: a
        class, one-hot, or covariates. Zero for none.
    width:
        Channels at full resolution; they double downwards up to eight times that.
    levels:
        Number of resolutions.
    spectral_norm:
        Whether the largest singular value of every layer is held at one (Miyato et al., ICLR 2018,
        arXiv:1802.05957).
    batch_deviation:
        Whether the lowest resolution is told how much the cases of a batch differ, so that a
        generator that draws one image is found out (Karras et al., ICLR 2018, arXiv:1710.10196).
        This ties a batch together: penalties are no longer of one case each.

    Reference: Miyato & Koyama, cGANs with projection discriminator, ICLR 2018, arXiv:1802.05637.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 1,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 16,
        levels: int = 4,
        spectral_norm: bool = False,
        batch_deviation: bool = False,
    ) -> None:
        if levels < 1:
            raise InputError("at least one level", came=levels, case="ProjectionDiscriminator")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.batch_deviation, self.multiple = batch_deviation, 2 ** (levels - 1)
        widths = [width * min(2**level, 8) for level in range(levels)]
        self.stem = convolution(dims)(channels_in, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            _Block(before, after, dims, halve=True) for before, after in pairwise(widths)
        )
        self.lowest = _Block(widths[-1] + batch_deviation, widths[-1], dims, halve=False)
        self.last = nn.Linear(widths[-1], channels_out)
        self.embed = (
            nn.Linear(condition_channels, widths[-1], bias=False) if condition_channels else None
        )
        if spectral_norm:
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
                    with_spectral_norm(module)

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[Tensor]:
        """Give every resolution's map ``(batch, channel, *fewer voxels)``, the logits last.

        Arguments and errors are those of :meth:`forward`.
        """
        check_image(self, x)
        check_level(self, x.shape[0], level)
        check_pooled_condition(self, x.shape[0], condition)
        h = self.stem(pad(x, self.multiple))
        found = []
        for block in self.blocks:
            h = block(h)
            found.append(h)
        if self.batch_deviation:
            deviation = (h.var(0, unbiased=False) + 1e-8).sqrt().mean()
            h = torch.cat([h, deviation.expand(h.shape[0], 1, *h.shape[2:])], 1)
        h = self.lowest(h)
        found.append(h)
        pooled = functional.leaky_relu(h, 0.2).flatten(2).mean(2)
        logits: Tensor = self.last(pooled)
        if self.embed is not None:
            assert condition is not None
            projected = self.embed(average_over_space(condition)) * pooled
            logits = logits + projected.sum(1, keepdim=True)
        return [*found, logits]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to logits (batch, channels_out).

        ``condition`` ``(batch, condition_channels, *any space)`` is given exactly where one is
        taken. Raises InputError for a level, which it does not take, and for shapes that do not
        fit.
        """
        return self.features(x, level, condition)[-1]
