"""The generator of DCGAN: a vector, doubled by transposed convolutions to an image."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.image_network import check_input, join
from vesalius.networks.vector_generator import check_places, extents


def start_small(module: nn.Module) -> None:
    """Weights from N(0, 0.02), and around one for what scales normalised channels."""
    if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    elif isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class DcganGenerator(nn.Module):
    """Transposed convolutions, 4 wide in steps of 2, with batch normalisation and rectifiers.

    Radford et al., Unsupervised representation learning with deep convolutional generative
    adversarial networks, ICLR 2016, arXiv:1511.06434. The code is one vector: a grid of one place.
    Batches are normalised by themselves in train mode, by their running averages in eval mode.

    Parameters
    ----------
    channels_in, channels_out:
        Length of the vector (100 in the paper), and channels of the image.
    dims:
        Axes of space.
    condition_channels:
        Length of a condition on the same one place; it joins the vector.
    width, multipliers:
        Channels at half the resolution are ``width`` times the first multiplier, at a quarter times
        the second, and so on; the paper's 64 x 64 are 128 times (1, 2, 4, 8).
    extent:
        Voxels of the image along every axis; halved once for every multiplier.
    bound:
        Images lie within (-bound, bound). At 1 this is the paper's hyperbolic tangent, right where
        intensities are known to end there (8 bit images). Where 1 is a high percentile (MR), some
        voxels of real images lie above, which a critic sees at once: choose more.

    Attributes
    ----------
    extent: tuple of int
        Voxels along every axis of the image that a vector becomes; the caller crops it.

    >>> generator = DcganGenerator(channels_in=100, channels_out=1, width=8, extent=32)
    >>> generator(torch.zeros(2, 100, 1, 1)).shape
    torch.Size([2, 1, 32, 32])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        extent: int | tuple[int, ...] = 32,
        bound: float = 1.0,
    ) -> None:
        if not multipliers or not bound > 0:
            raise InputError(
                "at least one multiplier and a bound above zero",
                came=f"multipliers {multipliers} and bound {bound}",
                case="DcganGenerator",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.bound = bound
        self.extent, base = extents(extent, dims, len(multipliers), "DcganGenerator")
        spread = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
        norm = nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d
        widths = [width * multiplier for multiplier in reversed(multipliers)]
        layers: list[nn.Module] = [
            spread(channels_in + condition_channels, widths[0], base, bias=False)  # type: ignore[arg-type]
        ]
        for before, after in pairwise(widths):
            layers += [norm(before), nn.ReLU(), spread(before, after, 4, 2, 1, bias=False)]
        layers += [norm(widths[-1]), nn.ReLU(), spread(widths[-1], channels_out, 4, 2, 1)]
        self.layers = nn.Sequential(*layers)
        self.apply(start_small)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, 1, 1[, 1])`` to ``(batch, channels_out, *extent)``.

        ``condition`` ``(batch, condition_channels, 1, 1[, 1])`` is given exactly where it is taken;
        anything that does not fit, and any level, raises InputError.
        """
        check_input(self, x, level, condition)
        check_places(x, self.dims, (1,), type(self).__name__)
        image: Tensor = self.layers(join(x, condition))
        return self.bound * torch.tanh(image / self.bound)
