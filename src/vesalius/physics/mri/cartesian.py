"""Cartesian MRI: coil sensitivities, Fourier transform, sampling."""

# ruff: noqa: D102  (an override is documented where it is declared)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.complex_image import as_channels, as_complex
from vesalius.physics.mri.fourier import fourier_transform, inverse_fourier_transform
from vesalius.physics.operator import LinearOperator, TensorSpace


@final
@dataclass(frozen=True, eq=False)
class CartesianMRI(LinearOperator):
    """``y_c = mask * F(coil_map_c * x)`` for every coil ``c``, in two or three dimensions.

    Takes real ``(batch, 2, *space)`` with real and imaginary part as channels, gives complex
    ``(batch, coil, *space)`` with zeros where nothing is sampled. The adjoint combines the coils.
    Where the maps' squares sum to one and everything is sampled, ``A^H A`` is the identity.

    Parameters
    ----------
    mask:
        ``(batch, 1, *space)`` bool, true where k-space is sampled; frequency zero at ``size // 2``.
    coil_maps:
        ``(batch, coil, *space)`` complex, without unit.

    References
    ----------
    Pruessmann et al., SENSE, Magn. Reson. Med. 42, 952 (1999).
    """

    mask: Tensor
    coil_maps: Tensor

    def __post_init__(self) -> None:
        mask, maps = self.mask, self.coil_maps
        if maps.ndim not in (4, 5) or not maps.is_complex():
            raise InputError(
                "complex coil maps (batch, coil, *space) with 2 or 3 axes of space",
                came=f"{maps.dtype} of shape {tuple(maps.shape)}",
            )
        wanted = (maps.shape[0], 1, *maps.shape[2:])
        if mask.dtype != torch.bool or tuple(mask.shape) != wanted:
            raise InputError(
                f"a bool mask of shape {wanted}", came=f"{mask.dtype} of shape {tuple(mask.shape)}"
            )

    @property
    def space(self) -> tuple[int, ...]:
        """Pixels along each axis of space."""
        return tuple(self.coil_maps.shape[2:])

    @property
    def n_coils(self) -> int:
        """Number of receiver coils."""
        return int(self.coil_maps.shape[1])

    @property
    def domain(self) -> TensorSpace:
        return TensorSpace((2, *self.space), False, self.mask.shape[0])

    @property
    def codomain(self) -> TensorSpace:
        return TensorSpace((self.n_coils, *self.space), True, self.mask.shape[0])

    def _forward(self, x: Tensor) -> Tensor:
        image = as_complex(x)
        kspace = fourier_transform(self.coil_maps.to(image.dtype) * image, len(self.space))
        return kspace * self.mask

    def _adjoint(self, y: Tensor) -> Tensor:
        coil_images = inverse_fourier_transform(y * self.mask, len(self.space))
        maps = self.coil_maps.to(y.dtype)
        return as_channels((maps.conj() * coil_images).sum(1, keepdim=True))

    def _gram(self, x: Tensor) -> Tensor:
        # F^-1 mask F commutes with shifts of the image, so only the mask has to be shifted
        image = as_complex(x)
        axes = tuple(range(2, image.ndim))
        maps = self.coil_maps.to(image.dtype)
        kspace = torch.fft.fftn(maps * image, dim=axes) * torch.fft.ifftshift(self.mask, dim=axes)
        return as_channels((maps.conj() * torch.fft.ifftn(kspace, dim=axes)).sum(1, keepdim=True))

    def take(self, cases: Sequence[int] | Tensor) -> CartesianMRI:
        index = torch.as_tensor(cases, dtype=torch.long, device=self.mask.device)
        return CartesianMRI(self.mask[index], self.coil_maps[index])

    @classmethod
    def collate(cls, operators: Sequence[CartesianMRI]) -> CartesianMRI:
        shapes = {tuple(each.coil_maps.shape[1:]) for each in operators}
        if len(shapes) > 1:
            raise InputError(
                "cases with one number of coils and one size",
                came=str(sorted(shapes)),
                remedy="crop or pad the images to one size, or use batches of one",
            )
        return CartesianMRI(
            torch.cat([each.mask for each in operators]),
            torch.cat([each.coil_maps for each in operators]),
        )

    def to(self, device: torch.device | str) -> CartesianMRI:
        return CartesianMRI(self.mask.to(device), self.coil_maps.to(device))
