"""The range of values that a PSNR or an SSIM is relative to: always said, never guessed."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_positive, masked_maximum

DataRange = float | Literal["reference_maximum"]
"""A number in the unit of the images, or each case's largest reference value, as in fastMRI."""


def check_data_range(data_range: DataRange) -> None:
    """Raise InputError unless ``data_range`` is a positive number or "reference_maximum"."""
    if isinstance(data_range, str):
        if data_range != "reference_maximum":
            raise InputError(
                "a number or 'reference_maximum' for 'data_range'", came=f"'{data_range}'"
            )
    else:
        check_positive("data_range", data_range)


def case_ranges(data_range: DataRange, reference: Tensor, mask: Tensor | None) -> Tensor:
    """``(batch,)`` float64: the range of each case.

    NaN where the reference's maximum in the mask is not above zero: no range can be told from it.
    """
    if data_range == "reference_maximum":
        largest = masked_maximum(reference, mask)
        return torch.where(largest > 0, largest, math.nan)
    return reference.new_full((reference.shape[0],), float(data_range), dtype=torch.float64)
