"""A discriminator that judges a slab, and is told where it lies."""

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


class SlabDiscriminator(nn.Module):
    """Strided convolutions under spectral norm, then two linear layers.

    One number a case, the place of its slab, is appended to what the convolutions found. Along an
    axis that is one voxel long they halve nothing, so slabs may be thin. Nothing is normalised by
    its cases. A whole volume is judged by the same network without a place.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the slab, and logits a case.
    dims:
        Axes of space.
    condition_channels:
        Channels of a condition ``(batch, condition_channels, *any space)``, averaged over space and
        appended, too.
    takes_level:
        Whether it is told the place.
    width:
        Channels behind the first convolution; they double with every further one, up to eight
        times.
    levels:
        Convolutions, each of which halves every axis.

    Reference: Sun et al. 2022, arXiv:2008.01910 (its D^H and D^L); Miyato et al., Spectral
    normalization for generative adversarial networks, ICLR 2018, arXiv:1802.05957.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 1,
        dims: Literal[2, 3] = 3,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 16,
        levels: int = 4,
    ) -> None:
        if levels < 1:
            raise InputError("at least one level", came=levels, case="SlabDiscriminator")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        conv = convolution(dims)
        widths = [channels_in, *(width * min(2**place, 8) for place in range(levels))]
        self.convolutions = nn.ModuleList(
            with_spectral_norm(conv(before, after, 3, stride=2, padding=1))
            for before, after in pairwise(widths)
        )
        told = int(takes_level) + condition_channels
        self.judge = with_spectral_norm(nn.Linear(widths[-1] + told, widths[-1]))
        self.last = with_spectral_norm(nn.Linear(widths[-1], channels_out))

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to logits (batch, channels_out).

        ``level`` (batch,), the slab's place, and ``condition`` are given exactly where they are
        taken; raises InputError for anything that does not fit.
        """
        check_image(self, x)
        check_level(self, x.shape[0], level)
        check_pooled_condition(self, x.shape[0], condition)
        h = x
        for convolve in self.convolutions:
            h = functional.leaky_relu(convolve(h), 0.2)
        found = [h.flatten(2).mean(2)]
        if level is not None:
            found.append(level[:, None].to(h.dtype))
        if condition is not None:
            found.append(average_over_space(condition))
        logits: Tensor = self.last(functional.leaky_relu(self.judge(torch.cat(found, 1)), 0.2))
        return logits
