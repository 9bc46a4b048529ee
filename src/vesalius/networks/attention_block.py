"""The block of our transformers: attention, then two linear layers at every token."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError


@dataclass
class KeyValues:
    """Keys and values ``(batch, heads, room, features)`` of the first ``length`` tokens.

    There is room for all tokens from the start: what is known is never copied.
    """

    keys: Tensor
    values: Tensor
    length: int = 0


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

    def begin(self, batch: int, room: int) -> KeyValues:
        """What :meth:`step` fills, with room for so many tokens."""
        weight = self.key.weight
        shape = (batch, self.heads, room, weight.shape[0] // self.heads)
        return KeyValues(weight.new_empty(shape), weight.new_empty(shape))

    def step(self, x: Tensor, known: KeyValues) -> Tensor:
        """:meth:`forward` of one more token ``(batch, 1, width)`` of a causal sequence.

        ``known`` holds keys and values of all tokens before, and of this one, too, afterwards.
        """
        normed = self.first_norm(x)
        place, known.length = known.length, known.length + 1
        known.keys[:, :, place] = self._heads(self.key, normed)[:, :, 0]
        known.values[:, :, place] = self._heads(self.value, normed)[:, :, 0]
        query = self._heads(self.query, normed)
        keys, values = (kept[:, :, : known.length] for kept in (known.keys, known.values))
        return self._add(x, query, keys, values, False)
