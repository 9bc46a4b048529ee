"""Distance of Fourier coefficients of images without phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


def spectrum(images: Tensor) -> Tensor:
    """Orthonormal Fourier transform over space of each channel; half precision becomes single."""
    if images.dtype in (torch.float16, torch.bfloat16):
        images = images.float()
    found: Tensor = torch.fft.fftn(images, dim=tuple(range(2, images.ndim)), norm="ortho")
    return found


@dataclass(frozen=True)
class Frequency(Loss):
    """Mean distance of the orthonormal Fourier coefficients of each channel; in model units.

    ``compare`` "complex" takes |F predicted - F wanted|, "amplitude" the difference of |F|, which
    is blind to shifts. ``epsilon`` above zero makes the distance Charbonnier's, as SwinMR's
    (Huang et al. 2022, arXiv:2201.03230), less its constant. For complex images see Kspace.
    """

    weight: float = 1.0
    compare: Literal["complex", "amplitude"] = "complex"
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if not self.epsilon >= 0:
            raise InputError("an epsilon of zero or more", came=self.epsilon)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        truth = reference(predicted, batch)
        if self.compare == "complex":
            error = spectrum(predicted - truth).abs()
        else:
            error = (spectrum(predicted).abs() - spectrum(truth).abs()).abs()
        if self.epsilon == 0:
            return error.mean()
        return (error.square() + self.epsilon**2).sqrt().mean() - self.epsilon
