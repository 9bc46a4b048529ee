"""The discriminator of DCGAN: an image, halved by strided convolutions to one logit."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.dcgan_generator import start_small
from vesalius.networks.image_network import check_input, convolution, join
from vesalius.networks.padding import pad
from vesalius.networks.vector_generator import extents


class DcganDiscriminator(nn.Module):
    """Convolutions, 4 wide in steps of 2, with batch normalisation and leaky rectifiers.

    Radford et al., ICLR 2016, arXiv:1511.06434. The first layer is not normalised. In train mode a
    batch is normalised by itself, so gradient penalties are not of one case each; R1 and WGAN-GP
    ask for ``normalise=False``. Smaller images are mirrored at their borders up to ``extent``;
    larger ones are judged at several places.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the image, and logits.
    dims:
        Axes of space.
    condition_channels:
        Channels of an image that is judged together with it.
    width, multipliers:
        Channels at half the resolution are ``width`` times the first multiplier, and so on.
    extent:
        Voxels along every axis of the image that the last convolution sees whole.
    normalise:
        Whether batches are normalised.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 1,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        extent: int | tuple[int, ...] = 32,
        normalise: bool = True,
    ) -> None:
        if not multipliers:
            raise InputError("at least one multiplier", came="none", case="DcganDiscriminator")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.multiple = 2 ** len(multipliers)
        self.extent, base = extents(extent, dims, len(multipliers), "DcganDiscriminator")
        conv = convolution(dims)
        norm = nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d
        widths = [width * multiplier for multiplier in multipliers]
        first = conv(channels_in + condition_channels, widths[0], 4, 2, 1)
        self.blocks = nn.ModuleList([nn.Sequential(first, nn.LeakyReLU(0.2))])
        for before, after in pairwise(widths):
            layers: list[nn.Module] = [conv(before, after, 4, 2, 1, bias=not normalise)]
            layers += [norm(after)] if normalise else []
            self.blocks.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        self.last = conv(widths[-1], channels_out, base)  # type: ignore[arg-type]
        self.apply(start_small)

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[Tensor]:
        """Give every layer's map ``(batch, channel, *fewer voxels)``, the logits last.

        Arguments and errors are those of :meth:`forward`.
        """
        check_input(self, x, level, condition)
        h = pad(join(x, condition), self.multiple, self.extent)
        found = []
        for block in self.blocks:
            h = block(h)
            found.append(h)
        return [*found, self.last(h)]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to logits ``(batch, channels_out, *places)``.

        One place for images of up to ``extent``. ``condition``
        ``(batch, condition_channels, *space)`` is given exactly where it is taken; anything that
        does not fit, and any level, raises InputError.
        """
        return self.features(x, level, condition)[-1]
