"""From a measured k-space to a measurement with its operator."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.mri.cartesian import CartesianMRI
from vesalius.physics.mri.coil_estimation import (
    calibration_region,
    espirit_maps,
    low_resolution_maps,
    sampled,
)


def measured_mri(
    kspace: NDArray[Any] | Tensor, *, maps: Literal["espirit", "low_resolution"] = "espirit"
) -> tuple[Tensor, CartesianMRI]:
    """Make a measurement and its operator from the k-space of a scanner.

    Parameters
    ----------
    kspace:
        Complex ``(coil, *space)`` on a Cartesian grid, frequency zero at ``size // 2``, zeros where
        nothing was sampled, with a fully sampled centre.
    maps:
        How coil sensitivities are estimated from that centre; see
        :mod:`vesalius.physics.mri.coil_estimation`.

    Returns
    -------
    The measurement ``(1, coil, *space)`` complex64 in the scanner's own scale, and the operator for
    a batch of one. Divide the measurement by the largest magnitude of its zero-filled image to
    bring it to full scale.
    """
    data = torch.as_tensor(np.asarray(kspace) if not isinstance(kspace, Tensor) else kspace)
    if not data.is_complex() or data.ndim not in (3, 4):
        raise InputError(
            "complex k-space (coil, *space) with 2 or 3 axes of space",
            came=f"{data.dtype} of shape {tuple(data.shape)}",
        )
    data = data.to(torch.complex64)
    if not bool(torch.isfinite(torch.view_as_real(data)).all()):
        raise InputError("finite k-space", came="NaN or infinite samples")
    mask = sampled(data)
    region = calibration_region(mask)
    estimate = espirit_maps if maps == "espirit" else low_resolution_maps
    return data[None], CartesianMRI(mask[None, None], estimate(data, region)[None])
