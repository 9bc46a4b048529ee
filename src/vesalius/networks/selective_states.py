"""A layer of states that choose what they keep: Mamba's and Mamba-2's, in several directions."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.head_scan import head_scan
from vesalius.networks.selective_scan import selective_scan


class SelectiveStates(nn.Module):
    """Every token chooses its step, what it writes and what it reads; sequences are scanned.

    Parameters
    ----------
    channels:
        Channels of a token.
    kind:
        ``"s6"``: every channel has states with rates of their own (Mamba). ``"ssd"``: heads of
        ``head_width`` channels decay as one (Mamba-2), which is several times quicker.
    states:
        States of a channel.
    directions:
        Sequences that come together, each with weights of its own.
    head_width:
        Channels of a head, for ``"ssd"``; by default the largest power of two up to 64 that divides
        the channels.
    engine:
        See :func:`~vesalius.networks.selective_scan.selective_scan`; for ``"s6"``.

    Reference: Gu & Dao, arXiv:2312.00752, section 3; Dao & Gu, arXiv:2405.21060, section 7.
    """

    def __init__(
        self,
        channels: int,
        *,
        kind: Literal["s6", "ssd"] = "s6",
        states: int = 16,
        directions: int = 1,
        head_width: int | None = None,
        engine: Literal["chunked", "mamba-ssm"] = "chunked",
    ) -> None:
        if min(channels, states, directions) < 1 or (head_width is not None and head_width < 1):
            raise InputError(
                "at least one channel, state, direction and channel of a head",
                came=f"{channels}, {states}, {directions} and {head_width}",
                case="SelectiveStates",
            )
        head_width = math.gcd(channels, 64) if head_width is None else min(head_width, channels)
        if kind == "ssd" and channels % head_width:
            raise InputError(
                "channels that heads share evenly",
                came=f"{channels} channels and heads of {head_width}",
                case="SelectiveStates",
                remedy="change the width, the expansion or head_width",
            )
        super().__init__()
        self.kind, self.states, self.directions, self.engine = kind, states, directions, engine
        rank = math.ceil(channels / 16) if kind == "s6" else channels // head_width
        timed = channels if kind == "s6" else rank  # what has a step of its own
        bound = channels**-0.5
        self.choose = nn.Parameter(
            torch.empty(directions, channels, rank + 2 * states).uniform_(-bound, bound)
        )
        self.widen = None
        if kind == "s6":
            bound = rank**-0.5
            self.widen = nn.Parameter(
                torch.empty(directions, rank, channels).uniform_(-bound, bound)
            )
        # steps begin between 0.001 and 0.1, whatever the token; this is softplus undone
        steps = torch.exp(math.log(1e-3) + torch.rand(directions, timed) * math.log(100))
        self.step_bias = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))
        if kind == "s6":
            rates = torch.arange(1, states + 1, dtype=torch.float32).expand(
                directions * channels, states
            )
        else:
            rates = 1 + 15 * torch.rand(directions * rank)
        self.log_rate = nn.Parameter(rates.log())
        self.skip = nn.Parameter(torch.ones(directions * timed))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, directions, length, channels)`` to the same; causal along each sequence."""
        batch, directions, length, channels = x.shape
        chosen = torch.matmul(x, self.choose)
        rank = chosen.shape[3] - 2 * self.states
        step, write, read = torch.split(chosen, [rank, self.states, self.states], 3)
        if self.widen is not None:
            step = torch.matmul(step, self.widen)
        step = functional.softplus(step + self.step_bias.unsqueeze(1))
        # directions stand beside each other as groups of channels
        tokens, step, write, read = (each.transpose(1, 2) for each in (x, step, write, read))
        if self.kind == "s6":
            y = selective_scan(
                tokens.flatten(2),
                step.flatten(2),
                self.log_rate,
                write,
                read,
                self.skip,
                engine=self.engine,
            )
        else:
            heads = tokens.reshape(batch, length, directions * rank, channels // rank)
            y = head_scan(heads, step.flatten(2), self.log_rate, write, read, self.skip)
        return y.reshape(batch, length, directions, channels).transpose(1, 2)
