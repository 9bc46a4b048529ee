"""SwinIR's body: an image restored by attention within shifted windows."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth
from vesalius.networks.swin_layer import SwinLayer
from vesalius.networks.window_attention import shift_mask


class _SwinBlock(nn.Module):
    """Swin layers, every second one shifted, and a convolution, added to what came in."""

    def __init__(
        self,
        width: int,
        heads: int,
        window: int,
        dims: Literal[2, 3],
        n_layers: int,
        level_features: int,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            SwinLayer(
                width, heads, window, dims, shifted=place % 2 == 1, level_features=level_features
            )
            for place in range(n_layers)
        )
        self.last = convolution(dims)(width, width, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor, embedding: Tensor | None) -> Tensor:
        """``(batch, *grid, width)``, channels last, to the same."""
        h = x
        for layer in self.layers:
            h = layer(h, mask, embedding)
        changed: Tensor = self.last(h.movedim(-1, 1)).movedim(1, -1)
        return x + changed


class SwinRestorer(ImageNetwork):
    """A convolution, residual blocks of Swin layers, a convolution, added to the image.

    Windows of every second layer lie half a window further, so that what a window knows spreads.
    What comes in is added to what goes out where both have as many channels. The last convolution
    starts at zero, so that an untrained network returns its image, or zero.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`. The condition is concatenated to
        the input, and the level scales and shifts what every normalisation gives.
    width:
        Features of a token (180 in SwinIR, 60 in its light form).
    heads:
        Parts of the features that attend each for itself; they share ``width`` evenly.
    n_blocks, n_layers:
        Residual blocks, and Swin layers in each (6 and 6 in SwinIR, 4 and 6 in its light form).
    window:
        Tokens along an axis of a window, at least 2 (8 in SwinIR; cost grows with
        ``window**dims``).
    patch:
        Voxels a side of a token: 1 in SwinIR; with 2, a 2D image costs a quarter.

    Reference: Liang et al., SwinIR: image restoration using Swin transformer, ICCVW 2021,
    arXiv:2108.10257; Huang et al., Swin transformer for fast MRI, Neurocomputing 2022,
    arXiv:2201.03230.

    >>> import torch
    >>> net = SwinRestorer(channels_in=2, channels_out=2, width=8, heads=2, n_blocks=1, n_layers=2)
    >>> net(torch.zeros(1, 2, 30, 45)).shape
    torch.Size([1, 2, 30, 45])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 48,
        heads: int = 4,
        n_blocks: int = 2,
        n_layers: int = 4,
        window: int = 8,
        patch: Literal[1, 2, 4] = 1,
    ) -> None:
        if n_blocks < 1 or n_layers < 1 or window < 2:
            raise InputError(
                "at least one block of one layer, and windows of at least 2 tokens",
                came=f"n_blocks {n_blocks}, n_layers {n_layers} and window {window}",
                case="SwinRestorer",
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=patch * window,
        )
        self.window, self.patch = window, patch
        features = 4 * width if takes_level else 0
        conv = convolution(dims)
        self.embed = LevelEmbedding(features) if takes_level else None
        self.first = conv((channels_in + condition_channels) * patch**dims, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            _SwinBlock(width, heads, window, dims, n_layers, features) for _ in range(n_blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.after = conv(width, width, 3, padding=1)
        self.last = conv(width, channels_out * patch**dims, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        embedding = None if self.embed is None else self.embed(level)
        shallow = self.first(space_to_depth(join(x, condition), self.patch))
        mask = shift_mask(self.window, tuple(shallow.shape[2:]), x.device).to(shallow.dtype)
        h = shallow.movedim(1, -1)
        for block in self.blocks:
            h = block(h, mask, embedding)
        deep = self.after(self.norm(h).movedim(-1, 1)) + shallow
        y = depth_to_space(self.last(deep), self.patch)
        return x + y if self.channels_in == self.channels_out else y
