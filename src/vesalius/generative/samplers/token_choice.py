"""Tokens from logits."""

from __future__ import annotations

import torch
from torch import Tensor


def chosen(logits: Tensor, temperature: float, top_k: int | None, rng: torch.Generator) -> Tensor:
    """Draw a token for each row of ``logits`` (n, kinds); (n,), int64.

    Logits are divided by ``temperature``, at 0 the likeliest is taken; ``top_k`` keeps the
    likeliest so many.
    """
    if temperature == 0:
        return logits.argmax(dim=1)
    logits = logits.float() / temperature
    if top_k is not None and top_k < logits.shape[1]:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    return torch.multinomial(logits.softmax(dim=1), 1, generator=rng)[:, 0]
