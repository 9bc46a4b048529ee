"""The block of our transformers: attention, then two linear layers at every token."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError

Cached = tuple[Tensor, Tensor]


class AttentionBlock(nn.Module):
    """Normalise, attend, add; normalise, two linear layers, add.

    Parameters
    ----------
    width:
        Features of a token.
    heads:
        Parts of the features that attend each for itself.
    dropout:
        Part of what either half adds that is dropped in train mode.

    Reference: Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762; normalised
    first after Xiong et al., ICML 2020, arXiv:2002.04745.
    """

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0) -> None:
        if heads < 1 or width % heads:
            raise InputError(
                "a width that the heads share evenly", came=f"width {width} and heads {heads}"
            )
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        # a key's bias shifts all scores of a query alike, which the softmax cannot see: hence none
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def _heads(self, layer: nn.Linear, x: Tensor) -> Tensor:
        heads: Tensor = layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
        return heads

    def _add(
        self,
        x: Tensor,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        causal: bool,
        heeded: Tensor | None = None,
    ) -> Tensor:
        mask = None if heeded is None else heeded[:, None, None]
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=causal
        )
        x = x + self.dropout(self.out(seen.transpose(1, 2).flatten(2)))
        wide = functional.gelu(self.widen(self.second_norm(x)))
        changed: Tensor = x + self.dropout(self.narrow(wide))
        return changed

    def forward(self, x: Tensor, *, causal: bool = False, heeded: Tensor | None = None) -> Tensor:
        """``(batch, tokens, width)`` to the same; causal: a token attends to itself and before.

        Else all attend to the tokens ``heeded``, (batch, tokens) bool, at least one a case; by
        default to all.
        """
        normed = self.first_norm(x)
        query, key, value = (
            self._heads(layer, normed) for layer in (self.query, self.key, self.value)
        )
        return self._add(x, query, key, value, causal, heeded)

    def step(self, x: Tensor, before: Cached | None) -> tuple[Tensor, Cached]:
        """:meth:`forward` of one more token ``(batch, 1, width)`` of a causal sequence.

        ``before`` holds keys and values of all tokens before; what comes back holds this one, too.
        """
        normed = self.first_norm(x)
        key, value = self._heads(self.key, normed), self._heads(self.value, normed)
        if before is not None:
            key, value = torch.cat([before[0], key], 2), torch.cat([before[1], value], 2)
        return self._add(x, self._heads(self.query, normed), key, value, False), (key, value)
