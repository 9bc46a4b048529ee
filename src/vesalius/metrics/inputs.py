"""What a metric is given: checked once, in float64, with its mask over every channel."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.core.errors import InputError


def check_finite(images: Tensor, name: str) -> None:
    """Raise InputError naming the first case of ``images`` that holds NaN or an infinity."""
    if not images.is_floating_point():
        return
    finite = torch.isfinite(images).flatten(1).all(dim=1)
    if not bool(finite.all()):
        index = int((~finite).nonzero()[0])
        raise InputError(
            f"finite values in '{name}'",
            came="NaN or infinity",
            case=f"case {index} of the batch",
            remedy="find out what made them before judging the image",
        )


def checked(
    predicted: Tensor, reference: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Both images as float64, and the mask spread over the channels.

    Parameters
    ----------
    predicted, reference:
        ``(batch, channel, *space)``, 2D or 3D, any real type.
    mask:
        ``(batch, 1, *space)`` bool or None for everywhere.

    Raises
    ------
    InputError
        For shapes that differ, complex images, a mask that is not bool, NaN and infinities.
    """
    if predicted.shape != reference.shape:
        raise InputError(
            "a prediction of the reference's shape",
            came=f"{tuple(predicted.shape)} against {tuple(reference.shape)}",
        )
    if reference.ndim not in (4, 5):
        raise InputError(
            "images of shape (batch, channel, *space) with 2 or 3 axes of space",
            came=f"shape {tuple(reference.shape)}",
        )
    for images, name in ((predicted, "predicted"), (reference, "reference")):
        if images.is_complex():
            raise InputError(f"real values in '{name}'", came="complex ones", remedy="take abs()")
        check_finite(images, name)
    if mask is not None:
        wanted = (reference.shape[0], 1, *reference.shape[2:])
        if tuple(mask.shape) != wanted:
            raise InputError(f"a mask of shape {wanted}", came=f"shape {tuple(mask.shape)}")
        if mask.dtype is not torch.bool:
            raise InputError("a mask of type bool", came=str(mask.dtype), remedy="pass mask > 0")
        mask = mask.expand(reference.shape)
    return predicted.to(torch.float64), reference.to(torch.float64), mask


def clipped(images: Tensor, limits: tuple[float, float] | None) -> Tensor:
    """``images`` with values outside ``limits`` set to the nearer limit."""
    return images if limits is None else images.clamp(*limits)


def check_limits(limits: tuple[float, float] | None) -> None:
    """Raise InputError unless ``limits`` is None or (low, high) with low below high."""
    if limits is not None and not limits[0] < limits[1]:
        raise InputError("limits (low, high) with low below high", came=repr(limits))


def check_positive(name: str, *values: float) -> None:
    """Raise InputError unless every value is a finite number above zero."""
    for value in values:
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"a finite number above zero for '{name}'", came=repr(value))


def masked_sum(values: Tensor, mask: Tensor | None) -> Tensor:
    """Sum over the mask, ``(batch, ...)`` to ``(batch,)``."""
    if mask is not None:
        values = values.masked_fill(~mask, 0)
    return values.flatten(1).sum(dim=1)


def masked_count(values: Tensor, mask: Tensor | None) -> Tensor:
    """Count the values in the mask, ``(batch,)`` float64."""
    if mask is None:
        return values.new_full((values.shape[0],), math.prod(values.shape[1:]), dtype=torch.float64)
    return mask.flatten(1).sum(dim=1, dtype=torch.float64)


def masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Average over the mask, ``(batch, ...)`` to ``(batch,)``; NaN where the mask is empty."""
    return masked_sum(values, mask) / masked_count(values, mask)


def masked_maximum(values: Tensor, mask: Tensor | None) -> Tensor:
    """Largest value in the mask, ``(batch, ...)`` to ``(batch,)``; NaN where it is empty."""
    if mask is None:
        return values.flatten(1).amax(dim=1)
    largest = values.masked_fill(~mask, -math.inf).flatten(1).amax(dim=1)
    return torch.where(mask.flatten(1).any(dim=1), largest, math.nan)
