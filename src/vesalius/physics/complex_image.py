"""Complex images as two real channels, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError


def as_complex(x: Tensor) -> Tensor:
    """Real ``(batch, 2, *space)`` to complex ``(batch, 1, *space)``.

    Channel 0 is the real, channel 1 the imaginary part. Half precision becomes single precision,
    for which there are Fourier transforms.
    """
    if x.is_complex() or x.ndim < 3 or x.shape[1] != 2:
        raise InputError(
            "a real tensor (batch, 2, *space) with real and imaginary part as channels",
            came=f"{x.dtype} of shape {tuple(x.shape)}",
        )
    if x.dtype in (torch.float16, torch.bfloat16):
        x = x.float()
    return torch.complex(x[:, :1].contiguous(), x[:, 1:].contiguous())


def as_channels(z: Tensor) -> Tensor:
    """Complex ``(batch, 1, *space)`` to real ``(batch, 2, *space)``; see :func:`as_complex`."""
    if not z.is_complex() or z.ndim < 3 or z.shape[1] != 1:
        raise InputError(
            "a complex tensor (batch, 1, *space)", came=f"{z.dtype} of shape {tuple(z.shape)}"
        )
    return torch.cat([z.real, z.imag], dim=1)


def magnitude(x: Tensor) -> Tensor:
    """Real ``(batch, 2, *space)`` to its magnitude ``(batch, 1, *space)``, zero or more."""
    return as_complex(x).abs()
