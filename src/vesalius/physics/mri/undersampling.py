"""Undersampled multi-coil MRI of a known image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.degradation import Degradation, DrawnRecord
from vesalius.physics.mri.cartesian import CartesianMRI
from vesalius.physics.mri.coils import simulated_coil_maps
from vesalius.physics.mri.masks import MaskKind, draw_lines, line_mask


@final
@dataclass(frozen=True)
class UndersampledMRI(Degradation):
    """``y = mask * (F(S x) + noise)`` with simulated coils.

    Images are in model units: complex, linear in the signal, zero is no signal and a magnitude of
    one is full scale. Nothing is rescaled.

    Parameters
    ----------
    acceleration, centre_fraction, mask:
        The sampled lines along the last axis; see :mod:`vesalius.physics.mri.masks`.
    coils:
        Simulated coils; one coil is the single-coil experiment with sensitivity one.
    noise_std:
        Standard deviation of the real part, and of the imaginary part, of the noise of every
        sampled value, in units of full scale. The transform is orthonormal, so it is also the
        noise of the pixels of fully sampled coil images.
    """

    acceleration: float = 4
    centre_fraction: float = 0.08
    mask: MaskKind = "random"
    coils: int = 8
    noise_std: float = 0.005

    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """``lines`` (see :func:`~vesalius.physics.mri.masks.draw_lines`), coil and noise seeds."""
        sampling = draw_lines(self.mask, space[-1], self.acceleration, self.centre_fraction, rng)
        return {
            "sampling": sampling,
            "coil_seed": int(rng.integers(2**31)),
            "noise_seed": int(rng.integers(2**31)),
        }

    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, CartesianMRI]:
        """Measure one image.

        ``x`` is real ``(2, *space)`` or complex ``space`` or ``(1, *space)``. Returns complex
        ``(coil, *space)`` and the operator for a batch of one.
        """
        image = _two_channels(x)
        space = tuple(image.shape[1:])
        if record["sampling"]["n_lines"] != space[-1]:
            raise InputError(
                f"the {record['sampling']['n_lines']} lines for which the record was drawn",
                came=f"space {space}",
            )
        lines = record["sampling"]["lines"]
        maps = simulated_coil_maps(space, self.coils, record["coil_seed"])
        operator = CartesianMRI(line_mask(lines, space)[None], maps[None]).to(image.device)
        measurement = operator.forward(image[None])[0]
        if self.noise_std > 0:
            generator = torch.Generator().manual_seed(record["noise_seed"])
            shape = (self.coils, *space[:-1], len(lines), 2)
            noise = torch.view_as_complex(torch.randn(shape, generator=generator)) * self.noise_std
            measurement[..., lines] += noise.to(measurement)
        return measurement, operator


def _two_channels(x: Tensor) -> Tensor:
    if x.is_complex():
        if x.ndim in (3, 4) and x.shape[0] == 1:
            x = x[0]
        return torch.stack([x.real, x.imag])
    if x.ndim not in (3, 4) or x.shape[0] != 2:
        raise InputError(
            "a complex image, or a real one (2, *space) with real and imaginary part",
            came=f"{x.dtype} of shape {tuple(x.shape)}",
            remedy="give a magnitude image a phase with random_phase_image()",
        )
    return x
