"""Which lines of k-space are sampled, by the definitions of fastMRI.

A fully sampled block around frequency zero, and further lines either at random or at equal
distances, so many that the wanted acceleration is met: exactly in expectation for random lines, to
within rounding for equispaced ones.

References
----------
Zbontar et al., fastMRI, arXiv:1811.08839. Customary centre fractions are 0.08 for an acceleration
of 4 and 0.04 for 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError

MaskKind = Literal["random", "equispaced"]


def centre_lines(n_lines: int, centre_fraction: float) -> range:
    """Find the lines around frequency zero that are always sampled."""
    n_low = round(n_lines * centre_fraction)
    first = (n_lines - n_low + 1) // 2
    return range(first, first + n_low)


def outer_density(n_lines: int, acceleration: float, centre_fraction: float) -> float:
    """``(N/R - N_low) / (N - N_low)``: the part of the lines outside the centre that is sampled."""
    if acceleration < 1 or not 0 <= centre_fraction < 1:
        raise InputError(
            "an acceleration of 1 or more and a centre fraction from 0 to below 1",
            came=f"{acceleration} and {centre_fraction}",
        )
    n_low = len(centre_lines(n_lines, centre_fraction))
    density = (n_lines / acceleration - n_low) / (n_lines - n_low)
    if density < 0:
        raise InputError(
            f"a centre of at most {n_lines / acceleration:g} of {n_lines} lines",
            came=f"{n_low} lines (centre fraction {centre_fraction})",
            remedy="lower the centre fraction or the acceleration",
        )
    return density


def draw_lines(
    kind: MaskKind,
    n_lines: int,
    acceleration: float,
    centre_fraction: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Draw the sampled lines of one case.

    Returns plain JSON: ``kind``, ``n_lines``, ``offset`` (the first equispaced line; None for
    random ones) and ``lines``, the sampled lines in rising order.
    """
    density = outer_density(n_lines, acceleration, centre_fraction)
    centre = centre_lines(n_lines, centre_fraction)
    offset: int | None = None
    if kind == "random":
        outer = np.flatnonzero(rng.random(n_lines) < density)
    elif kind == "equispaced":
        offset = int(rng.integers(max(1, round(1 / density)))) if density > 0 else 0
        outer = equispaced_lines(n_lines, density, offset)
    else:
        raise InputError("a mask that is 'random' or 'equispaced'", came=repr(kind))
    lines = sorted({*centre, *outer.tolist()})
    return {"kind": kind, "n_lines": n_lines, "offset": offset, "lines": lines}


def equispaced_lines(n_lines: int, density: float, offset: int) -> np.ndarray[Any, Any]:
    """List the lines at the (not whole) distance ``1/density`` from ``offset`` on, rounded."""
    if density == 0:
        return np.zeros(0, dtype=np.int64)
    positions = np.rint(np.arange(offset, n_lines, 1 / density)).astype(np.int64)
    inside: np.ndarray[Any, Any] = positions[positions < n_lines]
    return inside


def line_mask(lines: Sequence[int], space: tuple[int, ...]) -> Tensor:
    """``(1, *space)`` bool: the given lines along the last axis, all of the other axes."""
    if any(not 0 <= line < space[-1] for line in lines):
        raise InputError(f"lines from 0 to {space[-1] - 1}", came=f"{min(lines)} to {max(lines)}")
    mask = torch.zeros(1, *space, dtype=torch.bool)
    mask[..., list(lines)] = True
    return mask
