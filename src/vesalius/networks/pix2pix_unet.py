"""The generator of pix2pix: a deep U-Net with dropout as its source of noise."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, convolution, instance_norm, join


class Pix2PixUNet(ImageNetwork):
    """Strided 4-wide convolutions down to a few voxels and back, with a skip at every resolution.

    Normalised by instance, since batches of images are small. Where the paper takes its noise from
    dropout, so does this: with ``dropout_at_test`` it stays active in eval mode too, and two draws
    of one image differ. It reads torch's default random stream, as dropout in train mode does: seed
    or fork that one to draw again.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels:
        See :class:`~vesalius.networks.image_network.ImageNetwork`; the condition is concatenated.
    width:
        Channels at half the resolution; they double downwards up to eight times that (64 in the
        paper).
    levels:
        How often the image is halved, at least 2; it is padded to a multiple of ``2**levels`` (8 in
        the paper, for 256 x 256).
    dropout:
        Part of the features dropped at the lowest resolutions of the way up, three at most.
    dropout_at_test:
        Whether dropout stays active in eval mode.
    bounded:
        Whether a hyperbolic tangent keeps what comes out within (-1, 1), as in the paper. Without
        it the network can also say values beyond.

    Reference: Isola et al., Image-to-image translation with conditional adversarial networks, CVPR
    2017, arXiv:1611.07004.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        levels: int = 5,
        dropout: float = 0.5,
        dropout_at_test: bool = True,
        bounded: bool = True,
    ) -> None:
        if levels < 2:
            raise InputError("at least two levels", came=levels, case="Pix2PixUNet")
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            multiple=2**levels,
        )
        self.dropout, self.dropout_at_test, self.bounded = dropout, dropout_at_test, bounded
        conv = convolution(dims)
        transposed = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
        widths = [width * min(2**level, 8) for level in range(levels)]
        before = [channels_in + condition_channels, *widths[:-1]]
        # the first and the last way down have no normalisation (a voxel cannot be normalised by
        # itself), hence a bias, which would have no effect before one
        plain = {0, levels - 1}
        self.down = nn.ModuleList(
            conv(there, here, 4, stride=2, padding=1, bias=level in plain)
            for level, (there, here) in enumerate(zip(before, widths, strict=True))
        )
        self.down_norm = nn.ModuleList(
            nn.Identity() if level in plain else instance_norm(here, dims)
            for level, here in enumerate(widths)
        )
        self.up = nn.ModuleList(
            transposed(
                widths[level] * (1 if level == levels - 1 else 2),
                widths[level - 1],
                4,
                stride=2,
                padding=1,
                bias=False,
            )
            for level in range(levels - 1, 0, -1)
        )
        self.up_norm = nn.ModuleList(
            instance_norm(widths[level - 1], dims) for level in range(levels - 1, 0, -1)
        )
        self.last = transposed(2 * widths[0], channels_out, 4, stride=2, padding=1)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        x = join(x, condition)
        skips: list[Tensor] = []
        for depth, (layer, norm) in enumerate(zip(self.down, self.down_norm, strict=True)):
            x = norm(layer(x if depth == 0 else functional.leaky_relu(x, 0.2)))
            skips.append(x)
        skips.pop()
        for depth, (layer, norm) in enumerate(zip(self.up, self.up_norm, strict=True)):
            x = norm(layer(functional.relu(x)))
            if depth < 3:
                x = functional.dropout(
                    x, self.dropout, training=self.training or self.dropout_at_test
                )
            x = torch.cat([x, skips.pop()], dim=1)
        x = self.last(functional.relu(x))
        return torch.tanh(x) if self.bounded else x
