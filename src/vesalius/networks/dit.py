"""A diffusion transformer: patches as tokens, told the level through its norms."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.adaptive_block import AdaptiveBlock, modulated
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import ImageNetwork, join
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth
from vesalius.networks.told_embedding import ToldEmbedding


class DiT(ImageNetwork):
    """Patches attend to each other in blocks that the level and the condition modulate.

    A condition reaches it twice: as further channels of the image, voxel by voxel, and averaged
    over space, beside the level, which is all that a constant channel (a class) needs. An untrained
    network returns zero, and every block of it is the identity. Cost grows with the square of the
    number n of patches.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    patch:
        Voxels a side of a patch.
    width:
        Features of a token.
    n_layers, heads:
        Blocks, and heads of each.
    attention:
        Whether in each block all patches attend to each other, or those of a line along one axis,
        which changes from block to block: cost then grows with n ** (3 / 2) in 2D and n ** (4 / 3)
        in 3D.

    Reference: Peebles & Xie, Scalable diffusion models with transformers, ICCV 2023,
    arXiv:2212.09748; along axes after Ho et al., 2019, arXiv:1912.12180.

    >>> import torch
    >>> net = DiT(channels_in=1, channels_out=1, takes_level=True, width=16, n_layers=1)
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
        patch: int = 2,
        width: int = 128,
        n_layers: int = 4,
        heads: int = 4,
        attention: Literal["full", "axial"] = "full",
    ) -> None:
        if patch < 1 or n_layers < 1:
            raise InputError(
                "patches of at least one voxel and at least one layer",
                came=f"patch {patch} and n_layers {n_layers}",
                case="DiT",
            )
        if attention == "axial" and n_layers < dims:
            raise InputError(
                "a layer for every axis of space at least", came=f"n_layers {n_layers}", case="DiT"
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=patch,
        )
        self.patch, self.attention = patch, attention
        self.stem = nn.Linear((channels_in + condition_channels) * patch**dims, width)
        nn.init.xavier_uniform_(self.stem.weight)
        self.places = GridPositions(width, dims)
        self.told = ToldEmbedding(
            width, takes_level=takes_level, condition_channels=condition_channels
        )
        self.blocks = nn.ModuleList(AdaptiveBlock(width, heads, width) for _ in range(n_layers))
        self.last_modulation = nn.Linear(width, 2 * width)
        self.last = nn.Linear(width, channels_out * patch**dims)
        for layer in (self.last_modulation, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        told = self.told(len(x), level, condition)
        patches = space_to_depth(join(x, condition), self.patch)
        grid = tuple(patches.shape[2:])
        h = self.stem(patches.flatten(2).transpose(1, 2)) + self.places(grid)
        if self.attention == "axial":
            h = h.unflatten(1, grid)
        for place, block in enumerate(self.blocks):
            axis = 1 + place % self.dims if self.attention == "axial" else 1
            h = block(h.movedim(axis, -2), told).movedim(-2, axis)
        h = h.flatten(1, -2)
        shift, scale = self.last_modulation(told)[:, None].chunk(2, 2)
        patches = self.last(modulated(h, shift, scale)).transpose(1, 2).reshape(len(x), -1, *grid)
        return depth_to_space(patches, self.patch)
