"""Attention in several heads: what our newer transformer blocks share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError


def require_heads(width: int, heads: int) -> None:
    """Raise InputError unless ``heads`` share ``width`` features evenly."""
    if heads < 1 or width < 1 or width % heads:
        raise InputError(
            "a width that the heads share evenly", came=f"width {width} and heads {heads}"
        )


class MultiHeadAttention(nn.Module):
    """Every token asks all tokens of its row; no norm, nothing added.

    ``forward`` takes ``(*rows, tokens, width)`` and returns the same shape; rows do not see each
    other. Cost grows with the square of the number of tokens in a row.

    Reference: Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762.
    """

    def __init__(self, width: int, heads: int) -> None:
        require_heads(width, heads)
        super().__init__()
        self.heads = heads
        # a key's bias shifts all scores of a query alike, which the softmax cannot see: hence none
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(*rows, tokens, width)`` to the same shape."""
        rows = x.flatten(0, -3) if x.ndim > 3 else x
        query, key, value = (
            layer(rows).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return out.reshape(x.shape)
