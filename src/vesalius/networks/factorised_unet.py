"""A U-Net for volumes that works within slices and across them in turn."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import ImageNetwork, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.linear_attention import LinearAttention
from vesalius.networks.multi_head_attention import MultiHeadAttention
from vesalius.networks.residual_block import ResidualBlock, group_norm
from vesalius.networks.self_attention import SelfAttention

#: A convolution within a slice, and one that halves or doubles a slice.
WITHIN, HALVING = (1, 3, 3), (1, 2, 2)


def slice_heads(channels: int) -> int:
    """Heads of 32 channels each, or one where 32 does not divide them."""
    return channels // 32 if channels % 32 == 0 else 1


class AcrossSlices(nn.Module):
    """Voxels at the same place of all slices attend to each other, added to what came in.

    They are told which slice they lie in.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels)
        self.places = GridPositions(channels, 1)
        self.attention = MultiHeadAttention(channels, slice_heads(channels))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, slice, height, width)`` to the same shape."""
        lines = self.norm(x).permute(0, 3, 4, 2, 1) + self.places((x.shape[2],))
        changed: Tensor = x + self.attention(lines).permute(0, 4, 3, 1, 2)
        return changed


class WithinSlices(nn.Module):
    """``inner`` on every slice by itself."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, slice, height, width)`` to the same shape."""
        slices = x.transpose(1, 2)
        changed: Tensor = self.inner(slices.flatten(0, 1)).reshape(slices.shape)
        return changed.transpose(1, 2)


class FactorisedStage(nn.Module):
    """Residual blocks within slices, then attention within and across them."""

    def __init__(
        self, channels: int, n_blocks: int, within: type[nn.Module], level_features: int
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, 3, level_features=level_features, kernel=WITHIN)
            for _ in range(n_blocks)
        )
        self.within = WithinSlices(within(channels))
        self.across = AcrossSlices(channels)

    def forward(self, x: Tensor, level_embedding: Tensor | None = None) -> Tensor:
        """Volume and embedding ``(batch, level_features)`` to a volume of the same shape."""
        for block in self.blocks:
            x = block(x, level_embedding)
        changed: Tensor = self.across(self.within(x))
        return changed


class FactorisedUNet(ImageNetwork):
    """The video U-Net of Medical Diffusion, whose frames are the slices of a volume.

    Convolutions are 1 x 3 x 3 and see one slice; what is known of the others comes by attention
    along the axis of slices, behind every resolution's blocks and linear attention within slices
    (full attention at the lowest). Slices are halved in their plane only, so thick ones lose
    nothing. Skips are added. The last convolution starts at zero, so that an untrained network
    returns zero.

    Parameters
    ----------
    channels_in, channels_out, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`. The condition is concatenated to
        the input, and the level scales and shifts the features of every block.
    dims:
        3: an image of two axes has no slices.
    width:
        Channels at the highest resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``; their number is that of resolutions.
    n_blocks:
        Residual blocks at every resolution on the way down and up, and in the middle.
    axis:
        The axis of space across which slices lie.

    Reference: Khader et al., Denoising diffusion probabilistic models for 3D medical image
    generation, Scientific Reports 2023, arXiv:2211.03364; Ho et al., Video diffusion models,
    NeurIPS 2022, arXiv:2204.03458.

    >>> import torch
    >>> net = FactorisedUNet(channels_in=1, channels_out=1, width=8, multipliers=(1, 2))
    >>> net(torch.zeros(2, 1, 5, 8, 9)).shape
    torch.Size([2, 1, 5, 8, 9])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 3,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        n_blocks: int = 1,
        axis: Literal[0, 1, 2] = 0,
    ) -> None:
        if dims != 3:
            raise InputError(
                "volumes, which have slices",
                came=f"images of {dims} axes of space",
                case="FactorisedUNet",
                remedy="use UNet",
            )
        if not multipliers or n_blocks < 1:
            raise InputError(
                "at least one resolution and one block",
                came=f"multipliers {multipliers} and n_blocks {n_blocks}",
                case="FactorisedUNet",
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=2 ** (len(multipliers) - 1),
        )
        self.axis = axis
        widths = [width * multiplier for multiplier in multipliers]
        features = 4 * width if takes_level else 0
        steps = list(pairwise(widths))

        def stage(channels: int, within: type[nn.Module] = LinearAttention) -> FactorisedStage:
            return FactorisedStage(channels, n_blocks, within, features)

        self.embed = LevelEmbedding(features) if takes_level else None
        self.stem = nn.Conv3d(
            channels_in + condition_channels, widths[0], WITHIN, padding=(0, 1, 1)
        )
        self.first_across = AcrossSlices(widths[0])
        self.down = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.shrink = nn.ModuleList(
            nn.Conv3d(high, low, HALVING, stride=HALVING) for high, low in steps
        )
        self.middle = stage(widths[-1], SelfAttention)
        self.grow = nn.ModuleList(
            nn.ConvTranspose3d(low, high, HALVING, stride=HALVING) for high, low in steps
        )
        self.up = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.last_norm = group_norm(widths[0])
        self.last = nn.Conv3d(widths[0], channels_out, WITHIN, padding=(0, 1, 1))
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        embedding = None
        if self.embed is not None:
            embedding = self.embed(level)
        slices = 2 + self.axis
        x = self.first_across(self.stem(join(x, condition).movedim(slices, 2)))
        skips = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            x = stage(x, embedding)
            skips.append(x)
            x = shrink(x)
        x = self.middle(x, embedding)
        for stage, grow, skip in reversed(list(zip(self.up, self.grow, skips, strict=True))):
            x = stage(grow(x) + skip, embedding)
        x = self.last(functional.silu(self.last_norm(x)))
        return x.movedim(2, slices)
