"""Convolution in two or three axes of space, in the layout that is quickest on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def convolved(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, padding: int = 0, stride: int = 1
) -> Tensor:
    """``x`` (batch, channel, *space) with ``weight`` (channel, channel, *size), as torch does.

    In 3D, channels are laid side by side first: forward and backward of 8 channels take half the
    time, of 24 three quarters (measured). In 2D that is no quicker.
    """
    if x.ndim == 4:
        return functional.conv2d(x, weight, bias, stride=stride, padding=padding)
    x = x.contiguous(memory_format=torch.channels_last_3d)
    return functional.conv3d(x, weight, bias, stride=stride, padding=padding)
