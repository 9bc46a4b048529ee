"""Between the number types of files and tensors, in both directions without loss."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vesalius.core.errors import InputError

EXACT_IN_FLOAT32 = ("uint8", "int8", "uint16", "int16", "float16", "float32", "bool")
"""Types whose every value a float32 holds; wider ones become float64."""


def to_tensor(array: NDArray[Any], *, label: bool, case: object) -> torch.Tensor:
    """The values of a file as a tensor of its own, exactly (but for 64-bit integers above 2**53).

    Labels become int64; images float32, or float64 where float32 cannot hold the stored type;
    complex values stay complex. Raises InputError for anything that is not numbers, and for labels
    that are not whole.
    """
    if array.dtype.kind not in "buifc":
        raise InputError("an array of numbers", came=f"type {array.dtype}", case=case)
    if array.size == 0:
        raise InputError("an image with voxels", came=f"shape {array.shape}", case=case)
    wanted: Any
    if array.dtype.kind == "c":
        wanted = np.complex128 if array.dtype.itemsize > 8 else np.complex64
    elif label:
        if array.dtype.kind == "f" and not np.array_equal(array, np.rint(array)):
            raise InputError("whole numbers as labels", came="fractions", case=case)
        wanted = np.int64
    else:
        wanted = np.float32 if array.dtype.name in EXACT_IN_FLOAT32 else np.float64
    return torch.from_numpy(np.array(array, dtype=wanted, order="C"))


def to_stored(data: torch.Tensor, stored: str, case: object) -> NDArray[Any]:
    """The values of a tensor in the NumPy type ``stored``.

    For an integer type values are rounded (half to even) and clipped to what the type holds; if any
    was clipped, a UserWarning says how many and how far out. NaN and infinity raise InputError.
    """
    bad = int((~torch.isfinite(data)).sum())
    if bad:
        raise InputError("finite values to write", came=f"{bad} NaN or infinite voxels", case=case)
    array = data.detach().cpu().numpy()
    kind = np.dtype(stored)
    if kind.kind not in "iu":
        return array.astype(kind)
    if array.dtype.kind == "c":
        raise InputError(f"real values to write as {stored}", came="complex ones", case=case)
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    whole = array if array.dtype.kind in "biu" else np.rint(array)
    return clip_loudly(whole, low, high, stored, case).astype(kind)


def clip_loudly(
    values: NDArray[Any], low: int, high: int, stored: str, case: object
) -> NDArray[Any]:
    """``values`` within [low, high]; a UserWarning if any was outside."""
    outside = int(((values < low) | (values > high)).sum())
    if outside:
        warnings.warn(
            f"{case}: {outside} values outside [{low}, {high}] of {stored} were clipped "
            f"(they reach from {values.min():g} to {values.max():g})",
            stacklevel=4,
        )
    if not outside:
        return values
    if values.dtype.kind == "f" and int(float(high)) > high:
        # float64 has no 2**63 - 1: the nearest below it
        high_float = np.nextafter(float(high), 0.0)
        return np.asarray(np.clip(values, float(low), high_float))
    return np.asarray(np.clip(values, low, high))
