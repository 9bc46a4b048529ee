"""When on a Gaussian path the noise is so many times the signal."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.generative.paths.gaussian import GaussianPath

#: Halvings of [0, 1], to the last digit of double precision.
HALVINGS = 53


def time_of_ratio(path: GaussianPath, ratio: Tensor) -> Tensor:
    """Times at which ``path.ratio`` is ``ratio``, by bisection; one where it never rises so high.

    Of the shape of ``ratio``, float64.
    """
    ratio = ratio.double()
    low, high = torch.zeros_like(ratio), torch.ones_like(ratio)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = path.ratio(middle) > ratio
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return high
