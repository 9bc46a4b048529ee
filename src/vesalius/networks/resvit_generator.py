"""ResViT's generator: residual blocks, of which every fifth also attends to the whole image."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import ImageNetwork, convolution, instance_norm, join
from vesalius.networks.resnet_generator import InstanceResidualBlock, doubling, halving

#: Blocks from one that holds a transformer to the next; the first holds one.
EVERY = 5


class _GridTransformer(nn.Module):
    """A transformer over all voxels of a small image, which are told their places."""

    def __init__(self, hidden: int, n_layers: int, heads: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        self.places = GridPositions(hidden, dims)
        self.layers = nn.ModuleList(AttentionBlock(hidden, heads) for _ in range(n_layers))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, hidden, *grid)`` to the same shape."""
        tokens = x.flatten(2).transpose(1, 2) + self.places(tuple(x.shape[2:]))
        for layer in self.layers:
            tokens = layer(tokens)
        seen: Tensor = self.norm(tokens).transpose(1, 2).reshape(x.shape)
        return seen


class _ChannelCompression(nn.Module):
    """Two branches, a 1-wide convolution and two 3-wide ones, from twice the channels to once.

    It starts as what came in before the transformer, so that a transformer that joins a trained
    network leaves it at first as it was.
    """

    def __init__(self, channels: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        conv = convolution(dims)
        self.narrow = conv(2 * channels, channels, 1, bias=False)
        last = conv(channels, channels, 3, padding=1)
        self.wide = nn.Sequential(
            conv(2 * channels, channels, 3, padding=1, bias=False),
            instance_norm(channels, dims),
            nn.ReLU(),
            last,
        )
        assert last.bias is not None
        for parameter in (self.narrow.weight, last.weight, last.bias):
            nn.init.zeros_(parameter)
        with torch.no_grad():
            self.narrow.weight[:, :channels].flatten(1).fill_diagonal_(1)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """``(batch, channels, *space)`` twice to the same shape once."""
        both = torch.cat([x, seen], dim=1)
        compressed: Tensor = self.narrow(both) + self.wide(both)
        return compressed


class _TransformerBranch(nn.Module):
    """Halve to tokens, let ``transformer`` see all of them, double back, compress with the input.

    The transformer is given with each call, since several branches share one.
    """

    def __init__(self, channels: int, hidden: int, halvings: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        conv = convolution(dims)
        widths = [channels] * halvings + [hidden]
        down: list[nn.Module] = []
        for before, after in pairwise(widths):
            down += [conv(before, after, 3, stride=2, padding=1), nn.ReLU()]
        self.down = nn.Sequential(*down[:-1])
        up: list[nn.Module] = []
        for after, before in reversed(list(pairwise(widths))):
            up += [
                nn.Upsample(scale_factor=2, mode="nearest"),
                conv(before, after, 3, padding=1),
                nn.ReLU(),
            ]
        self.up = nn.Sequential(*up)
        self.compress = _ChannelCompression(channels, dims)

    def forward(self, x: Tensor, transformer: nn.Module) -> Tensor:
        """``(batch, channels, *space)`` to the same shape."""
        compressed: Tensor = self.compress(x, self.up(transformer(self.down(x))))
        return compressed


class ResViTGenerator(ImageNetwork):
    """Two halvings, aggregated residual transformer blocks, two doublings.

    The first block and every fifth from it on hold a transformer, and all of them the same one: a
    block halves its image to tokens, lets the transformer see all of them, doubles back, compresses
    the result and its input to as many channels as before, and goes on as a residual convolution
    block, which is all that the others are.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels:
        See :class:`~vesalius.networks.image_network.ImageNetwork`; the condition is concatenated.
    width:
        Channels at full resolution (64 in the paper); twice and four times as many below.
    n_blocks:
        Blocks at a quarter of the resolution (9 in the paper).
    hidden, n_layers, heads:
        Features of a token (768 in the paper), blocks of the transformer (12) and heads of each
        (12), which share ``hidden`` evenly.
    halvings:
        How often a block halves its image before the transformer, at least once; 2 in the paper,
        which gives 16 x 16 tokens for 256 x 256 voxels, as 1 does for 128 x 128.
    transformers:
        Whether the transformers take part. Without, they wait with their first weights, for a run
        that begins where this one ended.
    bounded:
        Whether a hyperbolic tangent keeps what comes out within (-1, 1), as in the paper.

    Reference: Dalmaz et al., ResViT: residual vision transformers for multimodal medical image
    synthesis, IEEE TMI 2022, arXiv:2106.16031.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 32,
        n_blocks: int = 9,
        hidden: int = 128,
        n_layers: int = 4,
        heads: int = 4,
        halvings: int = 1,
        transformers: bool = True,
        bounded: bool = True,
    ) -> None:
        if min(n_blocks, n_layers, halvings) < 1:
            raise InputError(
                "at least one block, one layer and one halving",
                came=f"n_blocks {n_blocks}, n_layers {n_layers} and halvings {halvings}",
                case="ResViTGenerator",
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            multiple=4 * 2**halvings,
        )
        self.transformers, self.bounded = transformers, bounded
        channels = 4 * width
        self.down = nn.Sequential(*halving(channels_in + condition_channels, width, dims))
        self.blocks = nn.ModuleList(InstanceResidualBlock(channels, dims) for _ in range(n_blocks))
        self.transformer = _GridTransformer(hidden, n_layers, heads, dims)
        self.branches = nn.ModuleList(
            _TransformerBranch(channels, hidden, halvings, dims) for _ in range(0, n_blocks, EVERY)
        )
        self.up = nn.Sequential(*doubling(channels_out, width, dims))

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        x = self.down(join(x, condition))
        for place, block in enumerate(self.blocks):
            if self.transformers and place % EVERY == 0:
                x = self.branches[place // EVERY](x, self.transformer)
            x = block(x)
        y: Tensor = self.up(x)
        return torch.tanh(y) if self.bounded else y
