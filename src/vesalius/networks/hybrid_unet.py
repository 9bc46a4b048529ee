"""A U-Net of convolutions for what is near and transformer blocks for what is far."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.axial_attention import AxialBlock
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import ImageNetwork, convolution, join
from vesalius.networks.multi_head_attention import require_heads
from vesalius.networks.residual_block import group_norm
from vesalius.networks.residual_stage import ResidualStage
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth
from vesalius.networks.told_embedding import ToldEmbedding


class HybridStage(nn.Module):
    """Residual blocks, then axial transformer blocks that know the places of the grid."""

    def __init__(
        self,
        channels: int,
        dims: Literal[2, 3],
        *,
        heads: int,
        n_blocks: int,
        n_layers: int,
        told_features: int,
    ) -> None:
        super().__init__()
        self.near = ResidualStage(channels, dims, n_blocks, level_features=told_features)
        self.places = GridPositions(channels, dims)
        self.far = nn.ModuleList(AxialBlock(channels, heads, dims) for _ in range(n_layers))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Image and what it is told, (batch, told_features), to an image of the same shape."""
        x = self.near(x, told)
        space = tuple(x.shape[2:])
        places: Tensor = self.places(space)
        h = x.movedim(1, -1).contiguous() + places.reshape(*space, -1)
        for block in self.far:
            h = block(h)
        return h.movedim(-1, 1).contiguous()


class HybridUNet(ImageNetwork):
    """A denoising U-Net with residual and transformer blocks at every resolution.

    The transformer blocks attend along each axis of space in turn, so that the whole image is seen
    at full resolution already. A condition is concatenated to the input and, averaged over space,
    told to every block beside the level: a class that comes as constant channels is a class
    embedding. An untrained network returns zero.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    width:
        Channels at the highest resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``; their number is that of resolutions.
    heads:
        Heads of each attention; they share the channels of every resolution.
    n_blocks, n_layers:
        Residual and transformer blocks at every resolution on the way down, in the middle and on
        the way up.
    patch:
        Voxels a side that the first convolution takes as channels, and the last gives back.

    Reference: Zhang et al., GH-DDM, Multimedia Systems 2023, doi:10.1007/s00530-023-01059-0.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        heads: int = 4,
        n_blocks: int = 1,
        n_layers: int = 1,
        patch: Literal[1, 2, 4] = 1,
    ) -> None:
        if not multipliers or n_blocks < 1 or n_layers < 1:
            raise InputError(
                "at least one resolution, one residual block and one transformer block",
                came=f"multipliers {multipliers}, n_blocks {n_blocks} and n_layers {n_layers}",
                case="HybridUNet",
            )
        require_heads(width, heads)
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=patch * 2 ** (len(multipliers) - 1),
        )
        self.patch = patch
        widths = [width * multiplier for multiplier in multipliers]
        features = 4 * width
        conv = convolution(dims)
        transposed = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d

        def stage(channels: int) -> HybridStage:
            return HybridStage(
                channels,
                dims,
                heads=heads,
                n_blocks=n_blocks,
                n_layers=n_layers,
                told_features=features,
            )

        self.told = ToldEmbedding(
            features, takes_level=takes_level, condition_channels=condition_channels
        )
        self.stem = conv((channels_in + condition_channels) * patch**dims, widths[0], 3, padding=1)
        self.down = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in pairwise(widths))
        self.middle = stage(widths[-1])
        self.grow = nn.ModuleList(
            transposed(low, high, 2, stride=2) for high, low in pairwise(widths)
        )
        self.merge = nn.ModuleList(conv(2 * channels, channels, 1) for channels in widths[:-1])
        self.up = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.last_norm = group_norm(widths[0])
        self.last = conv(widths[0], channels_out * patch**dims, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        told = self.told(len(x), level, condition)
        x = self.stem(space_to_depth(join(x, condition), self.patch))
        skips = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            x = stage(x, told)
            skips.append(x)
            x = shrink(x)
        x = self.middle(x, told)
        upwards = list(zip(self.up, self.grow, self.merge, skips, strict=True))
        for stage, grow, merge, skip in reversed(upwards):
            x = stage(merge(join(grow(x), skip)), told)
        x = self.last(nn.functional.silu(self.last_norm(x)))
        return depth_to_space(x, self.patch)
