"""Layers whose weights are all learnt equally fast, however many come together in one sum."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


def activated(x: Tensor) -> Tensor:
    """Leaky rectifier with a gain of the square root of two, which keeps the mean square.

    >>> float(activated(torch.tensor(-1.0)).square() + activated(torch.tensor(1.0)).square())
    2.08...
    """
    return functional.leaky_relu(x, 0.2) * math.sqrt(2)


class EqualisedLinear(nn.Module):
    """A linear layer of weights from N(0, 1), scaled by the square root of their number when used.

    Adam moves every weight by about its rate, so weights of one size learn equally fast (Karras et
    al., ICLR 2018, arXiv:1710.10196, section 4.1). ``rate`` slows the whole layer down: what is
    stored is so much larger, and scaled back.
    """

    def __init__(
        self, features_in: int, features_out: int, *, bias: float = 0.0, rate: float = 1.0
    ) -> None:
        super().__init__()
        self.rate, self.scale = rate, rate / math.sqrt(features_in)
        self.weight = nn.Parameter(torch.randn(features_out, features_in) / rate)
        self.bias = nn.Parameter(torch.full((features_out,), bias / rate))

    def forward(self, x: Tensor) -> Tensor:
        """``(..., features_in)`` to ``(..., features_out)``."""
        return functional.linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualisedConvolution(nn.Module):
    """A convolution of weights from N(0, 1), scaled by the square root of their number when used.

    ``padding`` and ``stride`` as in torch; see :class:`EqualisedLinear`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        size: int | tuple[int, ...],
        dims: Literal[2, 3],
        *,
        bias: bool = True,
        padding: int = 0,
        stride: int = 1,
    ) -> None:
        super().__init__()
        kernel = (size,) * dims if isinstance(size, int) else size
        self.padding, self.stride = padding, stride
        self.scale = 1 / math.sqrt(channels_in * math.prod(kernel))
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, *kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        self.convolve = functional.conv2d if dims == 2 else functional.conv3d

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels_in, *space)`` to ``(batch, channels_out, *space)``."""
        found: Tensor = self.convolve(
            x, self.weight * self.scale, self.bias, stride=self.stride, padding=self.padding
        )
        return found
