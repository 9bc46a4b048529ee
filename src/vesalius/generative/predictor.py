"""What a sampler calls: the clean image that a system expects behind a noised one."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Predictor(Protocol):
    """``predict(x, time)`` returns the expected clean image, ``(batch, channel, *space)``.

    ``x`` is the state on the path at ``time``, ``(batch,)``. Systems that draw in one call take
    None for both. Systems of tokens take tokens ``(batch, *grid)`` with HIDDEN for those that are
    not drawn yet, and return logits: of every token, ``(batch, kinds, *grid)``, or, where tokens
    come one after another (time None), of the next one, ``(batch, kinds)``.
    """

    def __call__(self, x: Tensor | None, time: Tensor | None) -> Tensor:
        """``(batch, channel, *space)``."""
        ...
