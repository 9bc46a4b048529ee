"""Low resolution, brought back to the grid of the image."""

# ruff: noqa: D102  (an override is documented where it is declared)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.degradation import Degradation, DrawnRecord
from vesalius.physics.operator import LinearOperator, TensorSpace

Way = Literal["kspace", "average"]


@final
@dataclass(frozen=True)
class LowResolution(LinearOperator):
    """The part of an image that ``factor`` times fewer samples along each axis can hold.

    ``"kspace"`` keeps the central frequencies, an odd number along each axis so that real images
    stay real, and fills the others with zeros (how MR is interpolated). ``"average"`` is the mean
    of blocks of ``factor`` voxels, repeated in each. Both are projections, their own adjoint, and
    keep constants.
    """

    shape: tuple[int, ...]
    factor: int
    way: Way = "kspace"

    @property
    def domain(self) -> TensorSpace:
        return TensorSpace(self.shape)

    @property
    def codomain(self) -> TensorSpace:
        return self.domain

    def _forward(self, x: Tensor) -> Tensor:
        for axis, n in enumerate(self.shape[1:], start=2):
            x = self._along(x, axis, n)
        return x

    def _along(self, x: Tensor, axis: int, n: int) -> Tensor:
        if self.way == "average":
            blocks = x.reshape(*x.shape[:axis], n // self.factor, self.factor, *x.shape[axis + 1 :])
            mean = blocks.mean(dim=axis + 1, keepdim=True)
            return mean.expand_as(blocks).reshape(x.shape)
        spectrum = torch.fft.rfft(x, dim=axis)
        kept = highest_frequency(n, self.factor) + 1
        found: Tensor = torch.fft.irfft(spectrum.narrow(axis, 0, kept), n=n, dim=axis)
        return found

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def _gram(self, x: Tensor) -> Tensor:
        return self._forward(x)

    def take(self, cases: Sequence[int] | Tensor) -> LowResolution:
        return self

    @classmethod
    def collate(cls, operators: Sequence[LowResolution]) -> LowResolution:
        if any(other != operators[0] for other in operators[1:]):
            raise InputError("cases of one size and resolution", came="several")
        return operators[0]

    def to(self, device: torch.device | str) -> LowResolution:
        return self


def highest_frequency(n: int, factor: int) -> int:
    """The highest frequency of ``n / factor`` samples whose negative is there, too."""
    return (n // factor - 1) // 2


@final
@dataclass(frozen=True)
class Downsampled(Degradation):
    """``y = P x`` with the projection :class:`LowResolution` by ``factor`` along every axis."""

    factor: int = 4
    way: Way = "kspace"

    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """Nothing is random: the factor."""
        if self.factor < 1 or min(space) < self.factor:
            raise InputError("a factor from 1 to the size", came=f"{self.factor} for {space}")
        if self.way == "average" and any(n % self.factor for n in space):
            raise InputError(f"sizes that {self.factor} divides", came=str(space))
        return {"factor": self.factor}

    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, LowResolution]:
        """The image at low resolution on its own grid."""
        operator = LowResolution(tuple(x.shape), record["factor"], self.way)
        return operator.forward(x[None])[0], operator
