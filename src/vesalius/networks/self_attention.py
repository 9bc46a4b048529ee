"""Self-attention over all voxels of a small image."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.residual_block import group_norm


class SelfAttention(nn.Module):
    """Multi-head self-attention over space, added to what came in.

    Heads have 32 channels each, or all of them where 32 does not divide them. Cost grows with the
    square of the number of voxels.

    Reference: Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.n_heads = channels // 32 if channels % 32 == 0 else 1
        self.norm = group_norm(channels)
        # a key's bias shifts all scores of a query alike, which the softmax cannot see: hence none
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, *space)`` to the same shape."""
        batch, channels, *space = x.shape
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        query, key, value = (
            layer(tokens).unflatten(2, (self.n_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out: Tensor = self.out(seen)
        return x + out.transpose(1, 2).reshape(batch, channels, *space)
