"""What a case must be before it is of use: varied, marked, of so many channels."""

from __future__ import annotations

import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image


def require_varied(image: Image, case: str) -> Image:
    """``image``, or an InputError that names ``case`` if all its values are the same."""
    if image.data.numel() == 0:
        raise InputError("an image with voxels", came=f"shape {tuple(image.data.shape)}", case=case)
    first = image.data.reshape(-1)[0]
    if bool((image.data == first).all()):
        raise InputError(
            "an image whose values vary",
            came=f"{first.item():g} in every voxel",
            case=case,
            remedy="leave out this case",
        )
    return image


def require_mask(image: Image, case: str) -> Image:
    """``image``, or an InputError that names ``case`` if no voxel of it is marked (above zero)."""
    if not bool((image.data > 0).any()):
        raise InputError(
            "a mask that marks at least one voxel",
            came="an empty mask",
            case=case,
            remedy="repair the mask or leave out this case",
        )
    return image


def require_channels(image: Image, channels: int, case: str) -> Image:
    """``image``, or an InputError that names ``case`` if it has another number of channels."""
    if image.data.shape[0] != channels:
        raise InputError(
            f"{channels} channel{'' if channels == 1 else 's'}",
            came=str(image.data.shape[0]),
            case=case,
            remedy="convert or choose the channels that are meant",
        )
    return image


def require_finite_values(data: torch.Tensor, case: str) -> torch.Tensor:
    """``data``, real or complex, or an InputError that names ``case`` for NaN or infinity in it."""
    bad = int((~torch.isfinite(data)).sum())
    if bad:
        raise InputError(
            "finite values",
            came=f"{bad} NaN or infinite voxels",
            case=case,
            remedy="repair or leave out this case",
        )
    return data
