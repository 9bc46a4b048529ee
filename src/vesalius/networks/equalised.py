"""Layers whose weights are all learnt equally fast, however many come together in one sum."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.quick_convolution import convolved

#: What keeps the mean square of normal numbers behind a leaky rectifier about as it is.
GAIN = math.sqrt(2)


def rectified(x: Tensor) -> Tensor:
    """The leaky rectifier of StyleGAN; layers before it have a ``gain`` of GAIN."""
    return functional.leaky_relu(x, 0.2)


class EqualisedLinear(nn.Module):
    """A linear layer of weights from N(0, 1), divided by the square root of their number when used.

    Adam moves every weight by about its rate, so weights of one size learn equally fast (Karras et
    al., ICLR 2018, arXiv:1710.10196, section 4.1).

    Parameters
    ----------
    features_in, features_out:
        Lengths of the vectors.
    bias:
        What the bias begins with.
    rate:
        Slows the layer down: what is stored is so much larger, and scaled back.
    gain:
        Multiplies what comes out, bias and all.
    """

    def __init__(
        self,
        features_in: int,
        features_out: int,
        *,
        bias: float = 0.0,
        rate: float = 1.0,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.bias_scale, self.scale = gain * rate, gain * rate / math.sqrt(features_in)
        self.weight = nn.Parameter(torch.randn(features_out, features_in) / rate)
        self.bias = nn.Parameter(torch.full((features_out,), bias / rate))

    def forward(self, x: Tensor) -> Tensor:
        """``(..., features_in)`` to ``(..., features_out)``."""
        return functional.linear(x, self.weight * self.scale, self.bias * self.bias_scale)


class EqualisedConvolution(nn.Module):
    """A convolution of weights from N(0, 1), divided by the square root of their number when used.

    ``padding`` and ``stride`` as in torch, ``gain`` as in :class:`EqualisedLinear`.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        size: int | tuple[int, ...],
        dims: Literal[2, 3],
        *,
        padding: int = 0,
        stride: int = 1,
        gain: float = 1.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kernel = (size,) * dims if isinstance(size, int) else size
        self.padding, self.stride, self.gain = padding, stride, gain
        self.scale = gain / math.sqrt(channels_in * math.prod(kernel))
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, *kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels_in, *space)`` to ``(batch, channels_out, *space)``."""
        bias = None if self.bias is None else self.bias * self.gain
        weight = self.weight * self.scale
        return convolved(x, weight, bias, stride=self.stride, padding=self.padding)
