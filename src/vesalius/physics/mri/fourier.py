"""The Fourier transform of MRI: centred, and orthonormal so that noise keeps its size."""

from __future__ import annotations

import torch
from torch import Tensor


def _axes(dimensions: int) -> tuple[int, ...]:
    return tuple(range(-dimensions, 0))


def fourier_transform(image: Tensor, dimensions: int) -> Tensor:
    """Image to k-space along the last ``dimensions`` axes.

    Position zero and frequency zero both lie at index ``size // 2``, for even and odd sizes. The
    transform is unitary: it keeps the sum of squares (Parseval), and its inverse is its adjoint.
    """
    axes = _axes(dimensions)
    shifted = torch.fft.ifftshift(image, dim=axes)
    kspace = torch.fft.fftn(shifted, dim=axes, norm="ortho")
    centred: Tensor = torch.fft.fftshift(kspace, dim=axes)
    return centred


def inverse_fourier_transform(kspace: Tensor, dimensions: int) -> Tensor:
    """k-space to image along the last ``dimensions`` axes; see :func:`fourier_transform`."""
    axes = _axes(dimensions)
    shifted = torch.fft.ifftshift(kspace, dim=axes)
    image = torch.fft.ifftn(shifted, dim=axes, norm="ortho")
    centred: Tensor = torch.fft.fftshift(image, dim=axes)
    return centred
