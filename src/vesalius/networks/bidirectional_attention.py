"""Attention between the voxels of an image and a few tokens that sum it up, both ways at once."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.networks.image_network import convolution
from vesalius.networks.multi_head_attention import require_heads


def separable(channels: int, channels_out: int, dims: Literal[2, 3], *, bias: bool) -> nn.Module:
    """A convolution a channel, then one voxel wide across channels."""
    conv = convolution(dims)
    return nn.Sequential(
        conv(channels, channels, 3, padding=1, groups=channels, bias=False),
        conv(channels, channels_out, 1, bias=bias),
    )


class BidirectionalAttention(nn.Module):
    """Voxels attend to the tokens of a map and tokens to voxels, on one matrix of scores.

    Its rows are voxels and its columns tokens: softmax along the columns says what a voxel takes
    from the map, softmax along the rows what a token takes from the image. Cost is linear in the
    number of voxels.

    Parameters
    ----------
    channels, heads, dims:
        Channels of image and tokens, the heads that share them, and axes of space.
    updates_map:
        Whether the map is attended to only, or learns from the voxels as well.

    Reference: Gao et al., A data-scalable transformer for medical image segmentation (MedFormer),
    2022, arXiv:2203.00131, B-MHA.
    """

    def __init__(
        self, channels: int, heads: int, dims: Literal[2, 3], *, updates_map: bool = True
    ) -> None:
        require_heads(channels, heads)
        super().__init__()
        self.heads, self.scale = heads, (channels // heads) ** -0.5
        # without biases: one on queries or keys cancels in one of the two softmaxes
        per_voxel = 2 * channels if updates_map else channels
        self.of_voxels = separable(channels, per_voxel, dims, bias=False)
        self.of_tokens = nn.Linear(channels, 2 * channels, bias=False)
        self.voxels_out = separable(channels, channels, dims, bias=True)
        self.tokens_out = nn.Linear(channels, channels) if updates_map else None

    def _heads(self, x: Tensor) -> Tensor:
        """(batch, length, channels) to (batch, heads, length, channels / heads)."""
        batch, length, channels = x.shape
        return x.reshape(batch, length, self.heads, channels // self.heads).transpose(1, 2)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """(batch, heads, voxels, tokens), the one matrix."""
        matrix: Tensor = queries @ keys.transpose(2, 3) * self.scale
        return matrix

    def forward(self, x: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        """What ``x`` ``(batch, channels, *space)`` and tokens (batch, tokens, channels) learn.

        The second is None for a map that is not updated.
        """
        parts = self.of_voxels(x).flatten(2).transpose(1, 2)
        queries, *values = (self._heads(part) for part in parts.split(x.shape[1], 2))
        keys, known = (self._heads(part) for part in self.of_tokens(tokens).chunk(2, 2))
        scores = self.scores(queries, keys)
        heard = (scores.softmax(3) @ known).transpose(1, 2).flatten(2)
        voxels: Tensor = self.voxels_out(heard.transpose(1, 2).reshape(x.shape))
        if self.tokens_out is None:
            return voxels, None
        taken = scores.softmax(2).transpose(2, 3) @ values[0]
        return voxels, self.tokens_out(taken.transpose(1, 2).flatten(2))


class SemanticMap(nn.Module):
    """An image summed up in tokens: weighted averages over space, whose weights are learnt.

    ``forward`` takes ``(batch, channels, *space)`` and returns (batch, tokens, channels).
    """

    def __init__(self, channels: int, n_tokens: int, dims: Literal[2, 3]) -> None:
        super().__init__()
        self.features = convolution(dims)(channels, channels, 3, padding=1)
        # a bias would be the same at every voxel, which the softmax over voxels cannot see
        self.weights = convolution(dims)(channels, n_tokens, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Average over space; weights of each token add up to one."""
        weights = self.weights(x).flatten(2).softmax(2)
        summed: Tensor = torch.einsum("btn,bcn->btc", weights, self.features(x).flatten(2))
        return summed
