"""The block of our Mamba networks: what attention is in a transformer, a selective scan is here."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.selective_states import SelectiveStates


class CausalConvolution(nn.Module):
    """Each channel's last few tokens, weighed: a depthwise convolution that sees nothing ahead."""

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        bound = taps**-0.5
        self.weight = nn.Parameter(torch.empty(taps, channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, length, channels)`` to the same."""
        taps, length = len(self.weight), x.shape[1]
        padded = functional.pad(x, (0, 0, taps - 1, 0))
        y: Tensor = self.bias
        for tap, weight in enumerate(self.weight):
            y = torch.addcmul(y, padded[:, tap : tap + length], weight)
        return y


class MambaBlock(nn.Module):
    """Normalise; widen; convolve and scan one half, gate it by the other; narrow; add.

    Causal: what comes out at a token depends on it and those before.

    Parameters
    ----------
    width:
        Features of a token.
    kind, states, head_width, engine:
        See :class:`~vesalius.networks.selective_states.SelectiveStates`.
    expand:
        Features inside as a multiple of ``width``.
    taps:
        Tokens that the convolution sees.
    level_features:
        Features of an embedding that scales and shifts the normalised tokens and gates what is
        added; the block then starts as the identity (adaLN-zero). Zero for none.

    Reference: Gu & Dao, Mamba, COLM 2024, arXiv:2312.00752, figure 3; Peebles & Xie, Scalable
    diffusion models with transformers, ICCV 2023, arXiv:2212.09748, for the level.
    """

    def __init__(
        self,
        width: int,
        *,
        kind: Literal["s6", "ssd"] = "s6",
        states: int = 16,
        expand: int = 2,
        taps: int = 4,
        head_width: int | None = None,
        level_features: int = 0,
        engine: Literal["chunked", "mamba-ssm"] = "chunked",
    ) -> None:
        if width < 1 or expand < 1 or taps < 1:
            raise InputError(
                "a width, an expansion and taps of at least one",
                came=f"{width}, {expand} and {taps}",
                case="MambaBlock",
            )
        super().__init__()
        inner = expand * width
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * inner)
        self.convolution = CausalConvolution(inner, taps)
        self.scan = SelectiveStates(
            inner, kind=kind, states=states, head_width=head_width, engine=engine
        )
        self.narrow = nn.Linear(inner, width)
        self.modulate = None
        if level_features:
            self.modulate = nn.Linear(level_features, 3 * width)
            nn.init.zeros_(self.modulate.weight)
            nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, level_embedding: Tensor | None = None) -> Tensor:
        """``(batch, length, width)`` and (batch, level_features) to ``(batch, length, width)``."""
        h = self.norm(x)
        opening = None
        if self.modulate is not None:
            assert level_embedding is not None
            scale, shift, opening = self.modulate(level_embedding).unsqueeze(1).chunk(3, 2)
            h = torch.addcmul(shift, h, 1 + scale)
        h, gate = self.widen(h).chunk(2, 2)
        h = functional.silu(self.convolution(h))
        h = self.scan(h.unsqueeze(1)).squeeze(1)
        h = self.narrow(h * functional.silu(gate))
        changed: Tensor = x + h if opening is None else torch.addcmul(x, opening, h)
        return changed
