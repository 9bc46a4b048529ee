"""Attention over all voxels at a cost that grows as their number."""

from __future__ import annotations

from torch import Tensor, nn

from vesalius.networks.residual_block import group_norm


class LinearAttention(nn.Module):
    """Self-attention over space without its table of scores, added to what came in.

    Keys are normalised over voxels and queries over features, so that keys and values are summed
    once, features by features, and every query reads from that sum. Heads have 32 channels each, or
    all of them where 32 does not divide them.

    Reference: Shen et al., Efficient attention: attention with linear complexities, WACV 2021,
    arXiv:1812.01243.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.n_heads = channels // 32 if channels % 32 == 0 else 1
        self.norm = group_norm(channels)
        # a key's bias shifts a feature of all voxels alike, which the softmax cannot see: no bias
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, *space)`` to the same shape."""
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        query, key, value = (
            layer(tokens).unflatten(2, (self.n_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        kept = key.softmax(dim=2).transpose(2, 3) @ value
        seen = (query.softmax(dim=3) @ kept).transpose(1, 2).flatten(2)
        out: Tensor = self.out(seen)
        return x + out.transpose(1, 2).reshape(x.shape)
