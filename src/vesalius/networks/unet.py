"""A U-Net for diffusion and regression in 2D and 3D, made to be quick."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.residual_block import group_norm
from vesalius.networks.residual_stage import ResidualStage
from vesalius.networks.self_attention import SelfAttention
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth


class UNet(ImageNetwork):
    """A U-Net that spends its parameters where they cost least.

    A convolution costs as much time with twice the channels at half the resolution in 2D, but holds
    four times the parameters. So the widths double downwards through four resolutions with a block
    a resolution each way; skips are added, not concatenated (half the cost of the first convolution
    behind each); and strided and transposed convolutions of the stride's own size change the
    resolution, which overlap nowhere and so leave no checkerboard (Zhang et al., DRUNet, TPAMI
    2021, arXiv:2008.13751). Normalisation is by groups and costs little of it.
    ``benchmarks/unet_step.py`` measures it. The last convolution starts at zero, so that an
    untrained network returns zero.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`. The condition is concatenated to
        the input, and the level scales and shifts the features of every block.
    width:
        Channels at the highest resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``; their number is that of resolutions.
    n_blocks:
        Residual blocks at every resolution on the way down and up, and in the middle.
    patch:
        Voxels a side that the first convolution takes as channels (and the last gives back): with
        2, a 128 x 128 image costs as much as a 64 x 64 one with 1.
    attention:
        Whether all voxels of the lowest resolution attend to each other.
    dropout:
        Part of the features that every block drops in train mode, and only there.

    Reference: Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597; Ho et al., Denoising
    diffusion probabilistic models, NeurIPS 2020, arXiv:2006.11239.

    >>> import torch
    >>> net = UNet(channels_in=1, channels_out=1, takes_level=True, width=8)
    >>> net(torch.zeros(2, 1, 30, 45), torch.tensor([0.1, 0.7])).shape
    torch.Size([2, 1, 30, 45])
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
        multipliers: tuple[int, ...] = (1, 2, 4, 8),
        n_blocks: int = 1,
        patch: Literal[1, 2, 4] = 1,
        attention: bool = False,
        dropout: float = 0.0,
    ) -> None:
        if not multipliers or n_blocks < 1:
            raise InputError(
                "at least one resolution and one block",
                came=f"multipliers {multipliers} and n_blocks {n_blocks}",
                case="UNet",
            )
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
        features = 4 * width if takes_level else 0
        conv = convolution(dims)
        transposed = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d

        def stage(channels: int) -> ResidualStage:
            return ResidualStage(channels, dims, n_blocks, level_features=features, dropout=dropout)

        steps = list(pairwise(widths))
        self.embed = LevelEmbedding(features) if takes_level else None
        self.stem = conv((channels_in + condition_channels) * patch**dims, widths[0], 3, padding=1)
        self.down = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in steps)
        self.middle = stage(widths[-1])
        self.attention = SelfAttention(widths[-1]) if attention else None
        self.grow = nn.ModuleList(transposed(low, high, 2, stride=2) for high, low in steps)
        self.up = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.last_norm = group_norm(widths[0])
        self.last = conv(widths[0], channels_out * patch**dims, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        embedding = None
        if self.embed is not None:
            embedding = self.embed(level)
        x = self.stem(space_to_depth(join(x, condition), self.patch))
        skips = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            x = stage(x, embedding)
            skips.append(x)
            x = shrink(x)
        x = self.middle(x, embedding)
        if self.attention is not None:
            x = self.attention(x)
        for stage, grow, skip in reversed(list(zip(self.up, self.grow, skips, strict=True))):
            x = stage(grow(x) + skip, embedding)
        x = self.last(nn.functional.silu(self.last_norm(x)))
        return depth_to_space(x, self.patch)
