"""MedFormer: a U-shape whose voxels see the whole image through a small semantic map."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.bidirectional_attention import BidirectionalAttention, SemanticMap
from vesalius.networks.image_network import ImageNetwork, convolution, join
from vesalius.networks.inverted_bottleneck import InvertedBottleneck
from vesalius.networks.multi_head_attention import require_heads
from vesalius.networks.residual_block import group_norm
from vesalius.networks.residual_stage import ResidualStage


class MapBlock(nn.Module):
    """Normalise, let voxels and map attend to each other, add; normalise, mix channels, add."""

    def __init__(
        self, channels: int, heads: int, dims: Literal[2, 3], *, updates_map: bool
    ) -> None:
        super().__init__()
        self.first_norm, self.second_norm = group_norm(channels), group_norm(channels)
        self.map_norm = nn.LayerNorm(channels)
        self.attention = BidirectionalAttention(channels, heads, dims, updates_map=updates_map)
        self.mix = InvertedBottleneck(channels, dims)

    def forward(self, x: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Image ``(batch, channels, *space)`` and map (batch, tokens, channels) to the same."""
        heard, taken = self.attention(self.first_norm(x), self.map_norm(tokens))
        x = x + heard
        return x + self.mix(self.second_norm(x)), tokens if taken is None else tokens + taken


class MapStage(nn.Module):
    """``n_layers`` of :class:`MapBlock` in a row; the map of the last is updated if it is read."""

    def __init__(
        self, channels: int, heads: int, dims: Literal[2, 3], n_layers: int, *, map_is_read: bool
    ) -> None:
        super().__init__()
        updates = [True] * (n_layers - 1) + [map_is_read]
        self.blocks = nn.ModuleList(
            MapBlock(channels, heads, dims, updates_map=each) for each in updates
        )

    def forward(self, x: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Image and map to the same."""
        for block in self.blocks:
            x, tokens = block(x, tokens)
        return x, tokens


class MapFusion(nn.Module):
    """The maps of all resolutions attend to each other as one row of tokens."""

    def __init__(self, channels: list[int], width: int, n_layers: int, heads: int) -> None:
        super().__init__()
        self.inwards = nn.ModuleList(nn.Linear(each, width) for each in channels)
        self.blocks = nn.ModuleList(AttentionBlock(width, heads) for _ in range(n_layers))
        self.outwards = nn.ModuleList(nn.Linear(width, each) for each in channels)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps (batch, tokens, channels), a resolution each, to the same."""
        inside = [layer(each) for layer, each in zip(self.inwards, maps, strict=True)]
        h = torch.cat(inside, 1)
        for block in self.blocks:
            h = block(h)
        parts = torch.split(h, [each.shape[1] for each in inside], 1)
        return [layer(part) for layer, part in zip(self.outwards, parts, strict=True)]


class MedFormer(ImageNetwork):
    """Convolutions at full resolution; below, voxels and a map of tokens attend to each other.

    Every resolution sums its image up in a semantic map; a transformer fuses the maps of all
    resolutions, and the way up reads the fused ones. Nothing costs more than linearly in voxels.

    Parameters
    ----------
    channels_in, dims, condition_channels:
        See :class:`~vesalius.networks.image_network.ImageNetwork`; the condition is concatenated.
    channels_out:
        Number of classes, background included: what comes out are logits.
    width:
        Channels at full resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``; at least two resolutions.
    n_blocks, n_layers:
        Residual blocks at full resolution, and attention blocks at every lower one, each way.
    heads:
        Heads of each attention.
    map_tokens:
        Tokens of a semantic map.
    fusion_layers:
        Blocks of the transformer that fuses the maps.

    Reference: Gao et al., A data-scalable transformer for medical image segmentation:
    architecture, model efficiency, and benchmark (MedFormer), 2022, arXiv:2203.00131.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        width: int = 16,
        multipliers: tuple[int, ...] = (1, 2, 4, 8),
        n_blocks: int = 1,
        n_layers: int = 1,
        heads: int = 4,
        map_tokens: int = 64,
        fusion_layers: int = 2,
    ) -> None:
        if len(multipliers) < 2 or min(n_blocks, n_layers, map_tokens, fusion_layers) < 1:
            raise InputError(
                "at least two resolutions, and at least one block, layer and token of each kind",
                came=f"multipliers {multipliers}, n_blocks {n_blocks}, n_layers {n_layers}, "
                f"map_tokens {map_tokens} and fusion_layers {fusion_layers}",
                case="MedFormer",
            )
        for multiplier in multipliers[1:]:
            require_heads(width * multiplier, heads)
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            multiple=2 ** (len(multipliers) - 1),
        )
        widths = [width * multiplier for multiplier in multipliers]
        lower, above = widths[1:], widths[1:-1]
        conv = convolution(dims)
        transposed = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d

        def stage(channels: int, *, map_is_read: bool) -> MapStage:
            return MapStage(channels, heads, dims, n_layers, map_is_read=map_is_read)

        self.stem = conv(channels_in + condition_channels, widths[0], 3, padding=1)
        self.first = ResidualStage(widths[0], dims, n_blocks)
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in pairwise(widths))
        self.maps = nn.ModuleList(SemanticMap(channels, map_tokens, dims) for channels in lower)
        self.down = nn.ModuleList(stage(channels, map_is_read=bool(above)) for channels in lower)
        self.fusion = MapFusion(lower, lower[-1], fusion_layers, heads) if above else None
        self.grow = nn.ModuleList(
            transposed(low, high, 2, stride=2) for high, low in pairwise(widths)
        )
        self.merge = nn.ModuleList(conv(2 * channels, channels, 1) for channels in widths[:-1])
        self.merge_maps = nn.ModuleList(
            nn.Linear(low + high, high) for high, low in pairwise(lower)
        )
        self.up = nn.ModuleList(
            stage(channels, map_is_read=place > 0) for place, channels in enumerate(above)
        )
        self.final = ResidualStage(widths[0], dims, n_blocks)
        self.last_norm = group_norm(widths[0])
        self.last = conv(widths[0], channels_out, 1)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        x = self.first(self.stem(join(x, condition)))
        skips, maps = [x], []
        for shrink, summed, stage in zip(self.shrink, self.maps, self.down, strict=True):
            x = shrink(x)
            x, tokens = stage(x, summed(x))
            skips.append(x)
            maps.append(tokens)
        if self.fusion is not None:
            maps = self.fusion(maps)
        tokens = maps[-1]
        for place in reversed(range(len(self.up))):
            x = self._merged(place + 1, x, skips)
            tokens = self.merge_maps[place](torch.cat([tokens, maps[place]], 2))
            x, tokens = self.up[place](x, tokens)
        x = self.final(self._merged(0, x, skips))
        logits: Tensor = self.last(functional.silu(self.last_norm(x)))
        return logits

    def _merged(self, place: int, x: Tensor, skips: list[Tensor]) -> Tensor:
        """``x`` at the next higher resolution, and what was there on the way down."""
        merged: Tensor = self.merge[place](join(self.grow[place](x), skips[place]))
        return merged
