"""Distance of Fourier coefficients, most where it is largest."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.frequency import spectrum
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class FocalFrequency(Loss):
    """Mean of w |F predicted - F wanted|^2 with w = |F predicted - F wanted|^alpha; squared units.

    F is orthonormal. w is divided by its maximum in each channel of each case and is held fixed:
    no gradient flows through it. Jiang et al., ICCV 2021, arXiv:2012.12821, equations 8 to 10.
    """

    weight: float = 1.0
    alpha: float = 1.0

    def __post_init__(self) -> None:
        if not self.alpha >= 0:
            raise InputError("an alpha of zero or more", came=self.alpha)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        error = spectrum(predicted - reference(predicted, batch))
        size = error.detach().abs() ** self.alpha
        largest = size.amax(dim=tuple(range(2, size.ndim)), keepdim=True)
        focus = size / largest.clamp(min=1e-30)
        return (focus * (error.real.square() + error.imag.square())).mean()
