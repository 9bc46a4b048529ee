"""The generator of CycleGAN: residual blocks between two halvings and two doublings."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.networks.image_network import (
    ImageNetwork,
    check_input,
    convolution,
    instance_norm,
    join,
)
from vesalius.networks.padding import pad

#: Layers before the residual blocks: three times a convolution, its normalisation and ReLU.
ABOVE = 9


class InstanceResidualBlock(nn.Module):
    """Convolution, instance normalisation, ReLU, convolution, instance normalisation, added."""

    def __init__(self, channels: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        conv = convolution(dims)
        self.layers = nn.Sequential(
            conv(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            instance_norm(channels, dims),
            nn.ReLU(),
            conv(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            instance_norm(channels, dims),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, *space)`` to the same shape."""
        changed: Tensor = self.layers(x)
        return x + changed


def halving(channels_in: int, width: int, dims: Literal[2, 3]) -> list[nn.Module]:
    """Layers from an image to ``4 * width`` channels at a quarter of the resolution."""
    conv = convolution(dims)
    layers: list[nn.Module] = [
        conv(channels_in, width, 7, padding=3, padding_mode="reflect", bias=False),
        instance_norm(width, dims),
        nn.ReLU(),
    ]
    for channels in (width, 2 * width):
        layers += [
            conv(channels, 2 * channels, 3, stride=2, padding=1, bias=False),
            instance_norm(2 * channels, dims),
            nn.ReLU(),
        ]
    return layers


def doubling(channels_out: int, width: int, dims: Literal[2, 3]) -> list[nn.Module]:
    """Layers from ``4 * width`` channels at a quarter of the resolution to an image.

    Doubling repeats voxels and convolves, which leaves less of a checkerboard than a transposed
    convolution (Odena et al., Distill 2016).
    """
    conv = convolution(dims)
    layers: list[nn.Module] = []
    for channels in (4 * width, 2 * width):
        layers += [
            nn.Upsample(scale_factor=2, mode="nearest"),
            conv(channels, channels // 2, 3, padding=1, bias=False),
            instance_norm(channels // 2, dims),
            nn.ReLU(),
        ]
    layers.append(conv(width, channels_out, 7, padding=3, padding_mode="reflect"))
    return layers


class ResnetGenerator(ImageNetwork):
    """A 7-wide convolution, two halvings, residual blocks, two doublings, a 7-wide convolution.

    Doubling repeats voxels where the paper has transposed convolutions.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels:
        See :class:`~vesalius.networks.image_network.ImageNetwork`; the condition is concatenated.
    width:
        Channels at full resolution (64 in the paper); twice and four times as many below.
    n_blocks:
        Residual blocks at a quarter of the resolution (6 for 128 x 128 in the paper, 9 above).
    bounded:
        Whether a hyperbolic tangent keeps what comes out within (-1, 1), as in the paper.

    Reference: Johnson et al., Perceptual losses for real-time style transfer, ECCV 2016,
    arXiv:1603.08155; Zhu et al., CycleGAN, ICCV 2017, arXiv:1703.10593.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        n_blocks: int = 6,
        bounded: bool = True,
    ) -> None:
        # at a quarter of 8 voxels, mirroring and normalising still have two to work with
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            multiple=4,
            minimum=8,
        )
        self.bounded = bounded
        self.n_blocks = n_blocks
        layers = halving(channels_in + condition_channels, width, dims)
        layers += [InstanceResidualBlock(4 * width, dims) for _ in range(n_blocks)]
        layers += doubling(channels_out, width, dims)
        self.layers = nn.Sequential(*layers)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        y: Tensor = self.layers(join(x, condition))
        return torch.tanh(y) if self.bounded else y

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[Tensor]:
        """Five feature maps on the way down, which tell what lies where in ``x``.

        At full, half and a quarter of the resolution, and behind half and all of the residual
        blocks, with 1, 2, 4, 4 and 4 times ``width`` channels; arguments are those of a call.
        """
        check_input(self, x, level, condition)
        x = pad(x, self.multiple, self.minimum)
        if condition is not None:
            condition = pad(condition, self.multiple, self.minimum)
        maps = [join(x, condition)]
        for layer in list(self.layers)[: ABOVE + self.n_blocks]:
            maps.append(layer(maps[-1]))
        places = (ABOVE // 3, 2 * ABOVE // 3, ABOVE, ABOVE + self.n_blocks // 2)
        return [maps[place] for place in (*places, -1)]
