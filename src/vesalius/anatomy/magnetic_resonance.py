"""From tissue fractions to MR images."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from vesalius.anatomy.relaxation import relaxation_table
from vesalius.anatomy.scanner import REFERENCE, Scanner, scanner_of
from vesalius.anatomy.tissue import Tissue
from vesalius.core.errors import UnknownName


@cache
def _signals(site: str, contrast: str) -> Tensor:
    scanner = scanner_of(site)
    if contrast not in scanner.sequences:
        raise UnknownName("MR contrast", contrast, scanner.sequences)
    sequence = scanner.sequences[contrast]
    table = relaxation_table(scanner.field_tesla)
    reference = sequence.signal(table[REFERENCE[contrast]])
    return torch.tensor([sequence.signal(table[tissue]) / reference for tissue in Tissue])


def tissue_signals(scanner: Scanner, contrast: str) -> Tensor:
    """Signal ``(len(Tissue),)`` of every tissue; that of the reference tissue is 1.0."""
    return _signals(scanner.name, contrast)


def sensitivity(points: Tensor, rms: float, rng: torch.Generator) -> Tensor:
    """Smooth positive shading at ``points`` ``(n, 3)`` in mm: exp of a random cubic polynomial.

    Its logarithm has standard deviation ``rms`` over the drawing of coefficients in the middle of
    the head's surface, and is zero at the centre.
    """
    x, y, z = (points / 90.0).clamp(-1.5, 1.5).unbind(-1)
    terms = torch.stack((x, y, z, x * y, y * z, z * x, x * x, y * y, z * z, x * y * z))
    weights = torch.randn(len(terms), generator=rng)
    return torch.exp(rms * 0.8 * (weights @ terms))


def rician(signal: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """Magnitude of ``signal`` with complex Gaussian noise of ``deviation`` in each channel."""
    real = torch.randn(signal.shape, generator=rng).mul_(deviation).add_(signal)
    imaginary = torch.randn(signal.shape, generator=rng).mul_(deviation)
    return torch.hypot(real, imaginary)
